public import DLP
import Synchronization

/// The examples of the list as far as it has been read, and what the journal had of them when the job began.
public final class ExampleLedger: Sendable {
    /// A row whose example has another place in the list now, or none.
    struct Move: Sendable, Hashable {
        /// The row's `id`.
        var row: Int64
        /// The place from 0; nil where the example is not in the list any more.
        var index: Int?
    }

    /// Where an example that is not done stands in the journal once it is, or has failed.
    struct Place: Sendable {
        /// What tells it from all others.
        var key: ExampleKey
        /// The `id` of its row.
        var row: Int64
        /// The `id` of the row in whose place that comes, where it has failed before.
        var replaced: Int64?
        /// The encoded example; empty where it is not known, or too long to be kept.
        var input: Bytes
        /// What it has met, encoded, where that is known.
        var trace: Bytes?
    }

    /// What is to be written of the list itself.
    struct Changes {
        var moves: [Move]
        /// Its length, where it has ended.
        var length: Int?
        /// What rows are made with, one encoded value each, by the number that they have of it.
        var versions: [(number: Int64, version: Bytes)]
    }

    /// What has changed of the script since rows were made.
    public struct Edit: Sendable, Equatable {
        /// Whether its text has; otherwise only something that it gets from elsewhere.
        public var isOfText: Bool
        /// So many of the stage's examples that are done are outdated by it.
        public var outdated: Int
        /// Of so many.
        public var done: Int
        /// What has changed, as messages name it.
        public var changes: [String]
        /// Whether something has that the function reaches, but none of those examples has met.
        public var isUnmet = false
    }

    private struct State {
        var matcher: ExampleMatcher
        var inputs = PackedExamples()
        /// The rows in whose places others come, by the index of their example; those that have not failed are outdated.
        var replaced: [Int: JournalRow] = [:]
        var changes = Changes(moves: [], versions: [])
        var isComplete = false
        /// What examples have met of which ranks have said so, by rank and index, until they are written.
        var traces: [Int: [Int: Bytes]] = [:]
    }

    private let state: Mutex<State>

    /// The stage whose examples they are; nil: those of the job itself.
    let stage: String?
    /// The `id` of the first example's new row; all rows that were there before have lower ones.
    let firstRow: Int64

    /// The number of what its rows are made with.
    let version: Int64
    /// What has changed since rows were made, and how many are concerned; nil where that is nothing.
    public let edit: Edit?
    /// What has changed since outdated rows were made, by what those were made with.
    private let outdated: [RowOrigin: [String]]
    /// Of what the function reaches here; nil where nobody has looked.
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
    /// - Parameter encoded: the example itself, which its row is to have.
    /// - Returns: its index, from 0, and where its result is stored, if it is done already.
    @discardableResult
    public func add(
        _ digest: Digest, _ encoded: UnsafeRawBufferPointer = UnsafeRawBufferPointer(start: nil, count: 0)
    ) -> (index: Int, stored: StoredResult?) {
        state.withLock { state in
            let index = state.matcher.count
            let row = state.matcher.match(digest).row
            let isDone = row.map { $0.isDone && outdated[$0.origin] == nil } ?? false
            // The row of what is done has it already.
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

    /// What has changed since the example at `index`, from 0, was done, as messages name it; nil where it is not done, or stays so.
    public func changes(since index: Int) -> [String]? {
        state.withLock { $0.replaced[index].flatMap { $0.isDone ? outdated[$0.origin] : nil } }
    }

    /// The list has ended: what the journal has of other examples has no place in it.
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

    /// Notes what examples have met that `rank` is about to report as done.
    ///
    /// Another rank may reach something else than the root: then nobody knows.
    public func note(_ report: TraceReport, by rank: Int) {
        let isSame = report.reach == reach
        state.withLock { state in
            for run in report.runs where run.first + run.count <= state.matcher.count {
                for index in run.first..<run.first + run.count {
                    // Of an earlier attempt there may be one.
                    state.traces[rank, default: [:]][index] = isSame && run.trace >= 0 ? report.traces[run.trace] : nil
                }
            }
        }
    }

    /// What these examples have met is written.
    func forgetTraces(of run: ResultRun) {
        state.withLock { state in
            guard !state.traces.isEmpty, var known = state.traces.removeValue(forKey: run.rank) else { return }
            for number in 0..<run.count { known.removeValue(forKey: run.first + number * run.stride) }
            if !known.isEmpty { state.traces[run.rank] = known }
        }
    }

    /// The places of `count` examples, from `first` on, `stride` apart; fewer where the list ends before.
    ///
    /// - Parameter rank: who has done them, if they are done.
    func places(first: Int, count: Int, stride: Int = 1, doneBy rank: Int? = nil) -> [Place] {
        state.withLock { state in
            // Their inputs share one piece of memory: one of its own for each would take longer than to write it.
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

    /// What is new since the last call, and the length of the list where it has ended.
    func takeChanges() -> Changes {
        state.withLock { state in
            defer { (state.changes.moves, state.changes.versions) = ([], []) }
            return state.changes
        }
    }

    /// What could not be noted after all.
    func giveBack(_ changes: Changes) {
        state.withLock { state in
            state.changes.moves = changes.moves + state.changes.moves
            state.changes.versions = changes.versions + state.changes.versions
        }
    }
}

/// Where in the journal a result is stored.
public struct StoredResult: Sendable, Hashable {
    /// The row's `id`.
    let row: Int64
}
