import CSQLite
import CSystem
public import DLP

/// Writes a journal on a thread of its own: whoever has results to note goes on at once.
///
/// What comes within a fifth of a second goes into one transaction, so that no more is lost when the process is killed,
/// and a fast job is not held up by a slow disk.
public final class JournalWriter: Sendable {
    private struct State {
        var entries: [DatedEntry] = []
        /// The lists that entries are about.
        var ledgers: [ExampleLedger] = []
        /// What ranks do, for those that watch, if that is to be written.
        var ranks: [WatchedRank]?
        /// Asks for it.
        var ask: (@Sendable (@escaping @Sendable ([WatchedRank]) -> Void) -> Void)?
        /// What the entries that are not written yet take.
        var size = 0
        var isClosing = false
        var isClosed = false
        var failure: JournalError?

        var hasNews: Bool { !entries.isEmpty || ranks != nil || isClosing }
    }

    private let state: Monitor<State>
    /// Where the journal lies.
    public let place: JournalPlace

    /// How often it is looked whether somebody watches, in nanoseconds.
    private static let lookout: UInt64 = 1_000_000_000
    /// How long entries wait for company, in nanoseconds.
    private static let delay: UInt64 = 200_000_000
    /// They wait no longer when they take so many bytes.
    private static let batch = 4 << 20
    /// So many bytes may wait before `waitForRoom` waits too.
    private let room: Int
    /// How long, in nanoseconds, readers may keep the journal from being closed.
    private static let closingPatience: UInt64 = 30_000_000_000

    /// Begins to write.
    ///
    /// - Parameters:
    ///   - ledgers: where the examples are added that entries will be about.
    ///   - failed: called once, on the thread, where the journal cannot be written any more.
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

    /// Entries will be about the examples of `ledger`, too.
    public func add(_ ledger: ExampleLedger) { state.update { $0.ledgers.append(ledger) } }

    /// Notes what has become of examples of `ledger`.
    public func note(_ entry: JournalEntry, in ledger: ExampleLedger) {
        let dated = DatedEntry(entry: entry, ledger: ledger, time: WallClock.now)
        state.update { state in
            guard state.failure == nil, !state.isClosing else { return }
            state.entries.append(dated)
            state.size += entry.size
        }
    }

    /// What ranks do is written, too, once a second while somebody watches the journal.
    ///
    /// - Parameter ask: asks for it, on the writer's thread, and passes the answer on, then or later.
    public func askForRanks(_ ask: @escaping @Sendable (_ answer: @escaping @Sendable ([WatchedRank]) -> Void) -> Void)
    {
        state.update { $0.ask = ask }
    }

    /// How many bytes are not written yet.
    var waiting: Int { state.withLock { $0.size } }

    /// Waits while so much is to be written that memory would suffer.
    public func waitForRoom() {
        state.wait { $0.size < room || $0.failure != nil || $0.isClosed ? () : nil }
    }

    /// Writes what there is, and closes the journal; nothing is noted any more.
    ///
    /// - Throws: `JournalError` where not all of it was written.
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

    /// Does `writing`; where a reader has the file locked, as soon as it lets go.
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
