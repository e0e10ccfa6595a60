public import DLP
import Synchronization

/// The examples of the list, as far as it has been read, and what the journal contained of them when the job began.
public final class ExampleLedger: Sendable {
    /// A row whose example has moved to another place in the list, or has left it.
    struct Move: Sendable, Hashable {
        /// The row's `id`.
        var row: Int64
        /// The place, from 0; nil where the example is no longer in the list.
        var index: Int?
    }

    /// The place in the journal for an example that is not done yet, once it is done or has failed.
    struct Place: Sendable {
        /// Identifies the example.
        var key: ExampleKey
        /// The `id` of its row.
        var row: Int64
        /// The `id` of the row that it replaces, if the example has failed or was outdated.
        var replaced: Int64?
        /// The encoded example; empty where it is not known, or too long to be kept.
        var input: Bytes
        /// The encoded trace of what it has met, where that is known.
        var trace: Bytes?
    }

    /// The changes of the list itself that must be written.
    struct Changes {
        var moves: [Move]
        /// The list's length, once it has ended.
        var length: Int?
        /// The code versions of rows, one encoded value each, by number.
        var versions: [(number: Int64, version: Bytes)]
    }

    /// How the script has changed since rows were made.
    public struct Edit: Sendable, Equatable {
        /// Whether its text has changed; otherwise only something that it gets from elsewhere.
        public var isOfText: Bool
        /// How many finished examples of the stage are outdated by this.
        public var outdated: Int
        /// How many examples of the stage are finished.
        public var done: Int
        /// What has changed, for messages.
        public var changes: [String]
        /// Whether something has changed that the function reaches, but that none of those examples has met.
        public var isUnmet = false
    }

    private struct State {
        var matcher: ExampleMatcher
        var inputs = PackedExamples()
        /// The rows that will be replaced, by the index of their example.
        ///
        /// Rows that have not failed are outdated.
        var replaced: [Int: JournalRow] = [:]
        var changes = Changes(moves: [], versions: [])
        var isComplete = false
        /// The reported traces of examples, by rank and index, until they are written.
        var traces: [Int: [Int: Bytes]] = [:]
    }

    private let state: Mutex<State>

    /// The stage of these examples; nil: the job itself.
    let stage: String?
    /// The `id` of the first example's new row; all rows from before have lower ones.
    let firstRow: Int64

    /// The number of the version with which its rows are made.
    let version: Int64
    /// What has changed since rows were made, and how many are affected; nil where nothing has changed.
    public let edit: Edit?
    /// What has changed since outdated rows were made, by the origin of these rows.
    private let outdated: [RowOrigin: [String]]
    /// The digest of what the function reaches here; nil where it was not determined.
    private let reach: Digest?

    init(
        _ rows: [ExampleKey: JournalRow], of stage: String?, firstRow: Int64, version: Int64 = 1,
        versions: [(number: Int64, version: Bytes)] = [], outdated: [RowOrigin: [String]] = [:], edit: Edit? = nil,
        reach: Digest? = nil
    ) {
        self.reach = reach
        self.stage = stage
        self.firstRow = firstRow
        self.version = version
        self.outdated = outdated
        self.edit = edit
        var initial = State(matcher: ExampleMatcher(rows))
        initial.changes.versions = versions
        state = Mutex(initial)
    }

    /// How many examples there are so far.
    var count: Int { state.withLock { $0.matcher.count } }

    /// Adds the next example of the list.
    ///
    /// - Parameter encoded: the example itself, which is stored in its row.
    /// - Returns: its index, from 0, and where its result is stored if it is done already.
    @discardableResult
    public func add(
        _ digest: Digest, _ encoded: UnsafeRawBufferPointer = UnsafeRawBufferPointer(start: nil, count: 0)
    ) -> (index: Int, stored: StoredResult?) {
        state.withLock { state in
            let index = state.matcher.count
            let row = state.matcher.match(digest).row
            let isDone = row.map { $0.isDone && outdated[$0.origin] == nil } ?? false
            // The row of a finished example contains it already.
            state.inputs.append(isDone ? nil : encoded)
            guard let row else { return (index, nil) }
            if row.index != index { state.changes.moves.append(Move(row: row.id, index: index)) }
            if isDone { return (index, StoredResult(row: row.id)) }
            state.replaced[index] = row
            return (index, nil)
        }
    }

    /// Whether the example at `index`, from 0, has failed before.
    public func hasFailed(_ index: Int) -> Bool { state.withLock { !($0.replaced[index]?.isDone ?? true) } }

    /// What has changed since the example at `index`, from 0, was done, for messages; nil where it is not done, or stays
    /// valid.
    public func changes(since index: Int) -> [String]? {
        state.withLock { $0.replaced[index].flatMap { $0.isDone ? outdated[$0.origin] : nil } }
    }

    /// The list has ended.
    ///
    /// Rows of other examples lose their place in the list.
    public func complete() {
        state.withLock { state in
            guard !state.isComplete else { return }
            state.isComplete = true
            state.changes.length = state.matcher.count
            for row in state.matcher.unmatched.values where row.index != nil {
                state.changes.moves.append(Move(row: row.id, index: nil))
            }
        }
    }

    /// Records what examples have met that `rank` is about to report as done.
    ///
    /// If the rank reaches something else than the root, what its examples have met counts as unknown.
    public func note(_ report: TraceReport, by rank: Int) {
        let isSame = report.reach == reach
        state.withLock { state in
            for run in report.runs where run.first + run.count <= state.matcher.count {
                for index in run.first..<run.first + run.count {
                    // A trace of an earlier attempt is replaced.
                    state.traces[rank, default: [:]][index] = isSame && run.trace >= 0 ? report.traces[run.trace] : nil
                }
            }
        }
    }

    /// Forgets what these examples have met, once it is written.
    func forgetTraces(of run: ResultRun) {
        state.withLock { state in
            guard !state.traces.isEmpty, var known = state.traces.removeValue(forKey: run.rank) else { return }
            for number in 0..<run.count { known.removeValue(forKey: run.first + number * run.stride) }
            if !known.isEmpty { state.traces[run.rank] = known }
        }
    }

    /// The places of `count` examples, from `first` on, at intervals of `stride`; fewer if the list ends before.
    ///
    /// - Parameter rank: the rank that has done them, if they are done.
    func places(first: Int, count: Int, stride: Int = 1, doneBy rank: Int? = nil) -> [Place] {
        state.withLock { state in
            // The inputs share one block of memory: allocating one for each would take longer than writing it.
            var inputs = ByteWriter()
            var ends: [Int] = []
            for number in 0..<count {
                let index = first + number * stride
                guard 0..<state.matcher.count ~= index else { break }
                state.inputs.append(at: index, to: &inputs)
                ends.append(inputs.count)
            }
            let packed = inputs.finish()
            var start = 0
            return ends.enumerated().map { number, end in
                let index = first + number * stride
                defer { start = end }
                return Place(
                    key: state.matcher.key(at: index), row: firstRow + Int64(index),
                    replaced: state.replaced.isEmpty ? nil : state.replaced[index]?.id, input: packed[start..<end],
                    trace: rank.flatMap { state.traces[$0]?[index] })
            }
        }
    }

    /// Returns the changes since the last call, and the length of the list once it has ended.
    func takeChanges() -> Changes {
        state.withLock { state in
            defer { (state.changes.moves, state.changes.versions) = ([], []) }
            return state.changes
        }
    }

    /// Takes back changes that could not be written.
    func giveBack(_ changes: Changes) {
        state.withLock { state in
            state.changes.moves = changes.moves + state.changes.moves
            state.changes.versions = changes.versions + state.changes.versions
        }
    }
}

/// The place in the journal where a result is stored.
public struct StoredResult: Sendable, Hashable {
    /// The row's `id`.
    let row: Int64
}
