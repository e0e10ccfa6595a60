import DLP
import Synchronization

/// Examples that were handed out with the work, kept until `collect` has seen them beside their results.
final class ExampleStore: Sendable {
    private struct State {
        var examples: [Int: Bytes] = [:]
        /// The index of the next example to keep: how many were handed out, or are on every rank.
        var count: Int
    }

    private let state: Mutex<State>

    /// - Parameter count: how many examples at the front of the list every rank has.
    init(behind count: Int) { state = Mutex(State(count: count)) }

    /// Keeps the next examples.
    func add(_ more: [Bytes]) {
        state.withLock { state in
            for example in more {
                state.examples[state.count] = example
                state.count += 1
            }
        }
    }

    /// Returns the examples of a run, one after another, and removes them.
    func take(_ run: ResultRun) -> Bytes {
        state.withLock { state in
            var writer = ByteWriter()
            for number in 0..<run.count {
                if let example = state.examples.removeValue(forKey: run.first + number * run.stride) {
                    writer.append(example)
                }
            }
            return writer.finish()
        }
    }
}
