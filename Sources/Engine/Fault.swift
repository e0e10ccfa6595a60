public import Codec

/// A failure that ends the job, as one rank reports it to the root and the root to the user.
public struct Fault: Error, Sendable, Equatable {
    /// Where in its work the rank was.
    public enum Phase: String, Sendable {
        /// Reading and running the script.
        case load
        /// `examples()`, and the agreement on them.
        case examples
        /// `cost()`, before anything is handed out.
        case cost
        case setup
        case work
        case collect
        case summarize
        /// A rank or the connection to it is gone.
        case communication
    }

    /// Where in its work the rank was.
    public var phase: Phase
    /// What went wrong, beginning with the script's line where Lua knows it.
    public var message: String
    /// Lua's traceback, or empty.
    public var traceback: String
    /// The example at work, counted from 1.
    public var example: Int?
    /// That example's value, shortened for a message.
    ///
    /// Empty where the index says enough, or the value is unknown.
    public var given = ""
    /// The module's function whose loop has the example as an element; empty for the job's own examples.
    public var loop = ""
    /// The rank on which it happened.
    public var rank: Int
    /// That rank's host.
    public var host: String
    /// How often the example was tried.
    public var attempts = 1
    /// What the example has left although it failed, as an encoded value; usually nil.
    public var result: Bytes?
    /// How long the example was worked on, in nanoseconds; nil where unknown.
    public var nanoseconds: Int64?
    /// The processor time that it took, in nanoseconds, as far as the root knows it.
    public var cpu: Int64?
    /// The most memory that was held meanwhile, in bytes, as far as the root knows it.
    public var peak: Int64?
    /// The exit status that the job ends with.
    public var status: Int32

    /// A fault.
    public init(
        phase: Phase, message: String, traceback: String = "", example: Int? = nil, rank: Int, host: String,
        status: Int32 = 1
    ) {
        self.phase = phase
        self.message = message
        self.traceback = traceback
        self.example = example
        self.rank = rank
        self.host = host
        self.status = status
    }
}

extension Fault {
    /// The text for the user in a job of `ranks` ranks: where it happened, what happened, and Lua's traceback.
    package func text(ranks: Int) -> String {
        var place: [String] = []
        if let example = example {
            let name = loop.isEmpty ? "example \(example)" : "element \(example) of \(loop)"
            switch phase {
            case .collect: place.append("collect failed on \(name)")
            case .cost: place.append("cost failed on \(name)")
            default: place.append("\(name) failed")
            }
        } else {
            switch phase {
            case .setup: place.append("setup() failed")
            case .summarize: place.append("summarize() failed")
            case .examples: place.append("examples() failed")
            case .load, .cost, .work, .collect, .communication: break
            }
        }
        if ranks > 1 || rank > 0, phase != .communication {
            let rank = "rank \(self.rank) (host \(host))"
            place = place.isEmpty ? [rank] : ["\(place[0]) on \(rank)"]
        }
        if attempts > 1, !place.isEmpty { place[0] += " after \(attempts) attempts" }
        if !given.isEmpty, !place.isEmpty { place[0] += ", given \(given)" }
        let lines = (place + [message]).joined(separator: ": ")
        return traceback.isEmpty ? lines : "\(lines)\n\(traceback)"
    }
}
