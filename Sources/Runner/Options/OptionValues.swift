/// How examples are distributed.
public enum Mode: String, CaseIterable, Sendable {
    case map
    case managed
    case roundRobin = "round-robin"
}

/// Where ranks get their examples from.
public enum ExampleSource: String, CaseIterable, Sendable {
    /// Every rank makes the list itself.
    case replicate
    /// The root sends them with the work.
    case root
}

/// Yes or no.
public enum Choice: String, CaseIterable, Sendable {
    case yes
    case no
}

/// What a failed example means for the job.
public enum OnError: String, CaseIterable, Sendable {
    case stop
    /// The other examples are done, and the job's status is 4.
    case `continue`
}

/// The order in which `collect` sees the results.
public enum CollectOrder: String, CaseIterable, Sendable {
    /// As they arrive.
    case arrival
    /// In the order of the examples.
    case order
}

/// The seed of random numbers.
public enum Seed: Equatable, Sendable {
    case number(Int64)
    /// The root draws a random seed.
    case random

    /// Parses a whole number or `random`.
    public init?(_ text: String) {
        if text == "random" {
            self = .random
        } else if let number = Int64(text) {
            self = .number(number)
        } else {
            return nil
        }
    }

    /// As the command line spells it.
    var text: String {
        switch self {
        case .number(let number): "\(number)"
        case .random: "random"
        }
    }
}
