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

    private struct State {
        var matcher: ExampleMatcher
        var keys: [ExampleKey] = []
        var moves: [Move] = []
        var isComplete = false
    }

    private let state: Mutex<State>

    init(_ rows: [ExampleKey: JournalRow]) { state = Mutex(State(matcher: ExampleMatcher(rows))) }

    /// Adds the next example of the list.
    ///
    /// - Returns: its index, from 0, and where its result is stored, if it is done already.
    @discardableResult
    public func add(_ digest: Digest) -> (index: Int, stored: StoredResult?) {
        state.withLock { state in
            let (key, row) = state.matcher.match(digest)
            let index = state.keys.count
            state.keys.append(key)
            guard let row else { return (index, nil) }
            if row.index != index { state.moves.append(Move(row: row.id, index: index)) }
            return (index, row.isDone ? StoredResult(row: row.id) : nil)
        }
    }

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

    /// The key of the example at `index`, from 0; nil where there is no such example.
    func key(of index: Int) -> ExampleKey? {
        state.withLock { $0.keys.indices.contains(index) ? $0.keys[index] : nil }
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
