import DLP
import Synchronization

/// Examples that were given away with the work, kept until `collect` has seen them beside their results.
final class ExampleStore: Sendable {
    private struct State {
        var examples: [Int: Bytes] = [:]
        /// How many examples of the list have been given away, or are not.
        var count: Int
    }

    private let state: Mutex<State>

    /// - Parameter count: so many examples at the front of the list every rank has.
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

    /// The examples of a run, one after another; they are not kept any longer.
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
