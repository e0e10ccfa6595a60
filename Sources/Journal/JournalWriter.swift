import CSQLite
import CSystem
public import DLP

/// Writes a journal on a thread of its own, so that callers who add results do not wait.
///
/// All entries of a fifth of a second go into one transaction. So no more than that is lost when the process is killed, and a
/// slow disk does not slow down a fast job.
public final class JournalWriter: Sendable {
    private struct State {
        var entries: [DatedEntry] = []
        /// The lists to which entries belong.
        var ledgers: [ExampleLedger] = []
        /// What the ranks are doing, for watchers, if that is to be written.
        var ranks: [WatchedRank]?
        /// Asks for what the ranks are doing.
        var ask: (@Sendable (@escaping @Sendable ([WatchedRank]) -> Void) -> Void)?
        /// The size of the entries that have not been written yet, in bytes.
        var size = 0
        var isClosing = false
        var isClosed = false
        var failure: JournalError?

        var hasNews: Bool { !entries.isEmpty || ranks != nil || isClosing }
    }

    private let state: Monitor<State>
    /// The place of the journal.
    public let place: JournalPlace

    /// The interval of checks whether a user is watching, in nanoseconds.
    private static let lookout: UInt64 = 1_000_000_000
    /// How long entries wait for others, in nanoseconds.
    private static let delay: UInt64 = 200_000_000
    /// The size of entries, in bytes, from which they are written at once.
    private static let batch = 4 << 20
    /// The size of waiting entries, in bytes, from which `waitForRoom` waits.
    private let room: Int
    /// How long readers may delay the closing of the journal, in nanoseconds.
    private static let closingPatience: UInt64 = 30_000_000_000

    /// Begins to write.
    ///
    /// - Parameters:
    ///   - ledgers: the ledgers to which the examples of entries are added.
    ///   - failed: called once, on the writer's thread, if the journal can no longer be written.
    /// - Throws: `CommunicationError` where no thread can be started.
    public convenience init(
        _ file: sending JournalFile, _ ledgers: ExampleLedger..., failed: @escaping @Sendable (JournalError) -> Void
    ) throws(CommunicationError) {
        try self.init(file, ledgers, room: 64 << 20, failed: failed)
    }

    init(
        _ file: sending JournalFile, _ ledgers: [ExampleLedger], room: Int,
        failed: @escaping @Sendable (JournalError) -> Void
    ) throws(CommunicationError) {
        self.room = room
        place = file.place
        let state = Monitor(State(ledgers: ledgers))
        self.state = state
        try ServiceThread.detach {
            Self.run(file, state, failed)
            state.update { $0.isClosed = true }
        }
    }

    /// Adds a ledger; entries may then be about its examples.
    public func add(_ ledger: ExampleLedger) { state.update { $0.ledgers.append(ledger) } }

    /// Adds the outcome of examples of `ledger`.
    public func note(_ entry: JournalEntry, in ledger: ExampleLedger) {
        let dated = DatedEntry(entry: entry, ledger: ledger, time: WallClock.now)
        state.update { state in
            guard state.failure == nil, !state.isClosing else { return }
            state.entries.append(dated)
            state.size += entry.size
        }
    }

    /// Also writes what the ranks are doing, once a second while a user is watching the journal.
    ///
    /// - Parameter ask: called on the writer's thread; asks for it and passes the answer on, at once or later.
    public func askForRanks(_ ask: @escaping @Sendable (_ answer: @escaping @Sendable ([WatchedRank]) -> Void) -> Void)
    {
        state.update { $0.ask = ask }
    }

    /// How many bytes are not written yet.
    var waiting: Int { state.withLock { $0.size } }

    /// Waits while so much is waiting to be written that it would take too much memory.
    public func waitForRoom() {
        state.wait { $0.size < room || $0.failure != nil || $0.isClosed ? () : nil }
    }

    /// Writes everything that is waiting, and closes the journal.
    ///
    /// Nothing can be added afterwards.
    ///
    /// - Throws: `JournalError` where not everything was written.
    public func close() throws(JournalError) {
        state.update { $0.isClosing = true }
        let failure = state.wait { $0.isClosed ? .some($0.failure) : nil }
        if let failure { throw failure }
    }

    private static func run(
        _ file: JournalFile, _ state: Monitor<State>, _ failed: (JournalError) -> Void
    ) {
        defer { file.close() }
        do {
            let rows = try RowWriter(file.database)
            let table = RankTable(file.database)
            var isLast = false
            var nextLook: UInt64 = 0
            while !isLast {
                let hasNews = state.wait(until: nextLook) { $0.hasNews ? () : nil } != nil
                if dlp_now() >= nextLook {
                    nextLook = dlp_now() + lookout
                    if file.isWatched, let ask = state.withLock({ $0.ask }) {
                        ask { ranks in state.update { $0.ranks = ranks } }
                    }
                }
                guard hasNews else { continue }
                _ = state.wait(until: dlp_now() + delay) { $0.size >= batch || $0.isClosing ? () : nil }
                let entries: [DatedEntry]
                let ledgers: [ExampleLedger]
                let ranks: [WatchedRank]?
                (entries, ledgers, ranks, isLast) = state.withLock { state in
                    defer { (state.entries, state.ranks) = ([], nil) }
                    return (state.entries, state.ledgers, state.ranks, state.isClosing)
                }
                try write(state) { () throws(SQLiteError) in try rows.write(entries, of: ledgers) }
                if let ranks { try write(state) { () throws(SQLiteError) in try table.write(ranks) } }
                let written = entries.reduce(0) { $0 + $1.entry.size }
                state.update { $0.size -= written }
            }
        } catch {
            let failure = JournalError(path: file.path, error)
            state.update { state in
                state.failure = failure
                state.entries = []
            }
            failed(failure)
        }
    }

    /// Calls `writing`.
    ///
    /// If a reader has locked the file, tries again until it is released.
    private static func write(
        _ state: Monitor<State>, _ writing: () throws(SQLiteError) -> Void
    ) throws(SQLiteError) {
        var deadline: UInt64?
        while true {
            do { return try writing() } catch {
                if deadline == nil, state.withLock({ $0.isClosing }) { deadline = dlp_now() + closingPatience }
                guard error.code == SQLITE_BUSY, deadline.map({ dlp_now() < $0 }) ?? true else { throw error }
            }
        }
    }
}
