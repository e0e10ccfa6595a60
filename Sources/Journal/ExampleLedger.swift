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
    }

    private struct State {
        var matcher: ExampleMatcher
        var keys: [ExampleKey] = []
        var inputs = PackedExamples()
        /// The rows of examples that have failed before, by their index.
        var failed: [Int: Int64] = [:]
        var moves: [Move] = []
        var isComplete = false
    }

    private let state: Mutex<State>

    /// The stage whose examples they are; nil: those of the job itself.
    let stage: String?
    /// The `id` of the first example's new row; all rows that were there before have lower ones.
    let firstRow: Int64

    init(_ rows: [ExampleKey: JournalRow], of stage: String?, firstRow: Int64) {
        self.stage = stage
        self.firstRow = firstRow
        state = Mutex(State(matcher: ExampleMatcher(rows)))
    }

    /// How many examples there are so far.
    var count: Int { state.withLock { $0.keys.count } }

    /// Adds the next example of the list.
    ///
    /// - Parameter encoded: the example itself, which its row is to have.
    /// - Returns: its index, from 0, and where its result is stored, if it is done already.
    @discardableResult
    public func add(
        _ digest: Digest, _ encoded: UnsafeRawBufferPointer = UnsafeRawBufferPointer(start: nil, count: 0)
    ) -> (index: Int, stored: StoredResult?) {
        state.withLock { state in
            let (key, row) = state.matcher.match(digest)
            let index = state.keys.count
            state.keys.append(key)
            // The row of what is done has it already.
            state.inputs.append(row?.isDone ?? false ? nil : encoded)
            guard let row else { return (index, nil) }
            if row.index != index { state.moves.append(Move(row: row.id, index: index)) }
            if row.isDone { return (index, StoredResult(row: row.id)) }
            state.failed[index] = row.id
            return (index, nil)
        }
    }

    /// Whether the example at `index`, from 0, has failed before.
    public func hasFailed(_ index: Int) -> Bool { state.withLock { $0.failed[index] != nil } }

    /// The list has ended: what the journal has of other examples has no place in it.
    public func complete() {
        state.withLock { state in
            guard !state.isComplete else { return }
            state.isComplete = true
            for row in state.matcher.unmatched.values where row.index != nil {
                state.moves.append(Move(row: row.id, index: nil))
            }
        }
    }

    /// The places of `count` examples, from `first` on, `stride` apart; fewer where the list ends before.
    func places(first: Int, count: Int, stride: Int = 1) -> [Place] {
        state.withLock { state in
            var places: [Place] = []
            places.reserveCapacity(count)
            for number in 0..<count {
                let index = first + number * stride
                guard state.keys.indices.contains(index) else { break }
                places.append(
                    Place(
                        key: state.keys[index], row: firstRow + Int64(index),
                        replaced: state.failed.isEmpty ? nil : state.failed[index],
                        input: state.inputs.example(at: index)))
            }
            return places
        }
    }

    /// The moves since the last call, and the length of the list where it has ended.
    func takeMoves() -> (moves: [Move], length: Int?) {
        state.withLock { state in
            defer { state.moves = [] }
            return (state.moves, state.isComplete ? state.keys.count : nil)
        }
    }

    /// Moves that could not be noted after all.
    func giveBack(_ moves: [Move]) { state.withLock { $0.moves = moves + $0.moves } }
}

/// Where in the journal a result is stored.
public struct StoredResult: Sendable, Hashable {
    /// The row's `id`.
    let row: Int64
}
