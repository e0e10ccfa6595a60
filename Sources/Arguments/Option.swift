import DLP

/// An option of a command line.
public struct Option: Sendable {
    /// What a shell offers in place of a word.
    public enum Completion: Sendable {
        /// Nothing.
        case none
        /// These words.
        case words([String])
        /// Files; those whose names end so where endings are given.
        case files([String])
        /// Programs, and behind the first their arguments.
        case command
    }

    /// How it is written, the name that messages use first: `--mode`, or `-np` and `-n`.
    public var names: [String]
    /// What its value is called; nil for a switch.
    public var value: String?
    /// What a shell offers for its value.
    public var completion: Completion
    /// Whether a number may follow its name at once, as in `-np4`.
    public var joinsNumbers: Bool
    /// What its value is where none of the words of `completion` follows; nil where a value must.
    public var defaultValue: String?

    /// An option.
    public init(
        _ names: String..., value: String? = nil, completion: Completion = .none, joinsNumbers: Bool = false,
        defaultValue: String? = nil
    ) {
        self.names = names
        self.value = value
        self.completion = completion
        self.joinsNumbers = joinsNumbers
        self.defaultValue = defaultValue
    }

    /// Whether a value must follow it.
    var wantsValue: Bool { value != nil && defaultValue == nil }

    /// Whether `word` behind it is its value, which may be left out.
    func mayTake(_ word: SystemString) -> Bool {
        guard case .words(let words) = completion else { return false }
        return words.contains { word == SystemString($0) }
    }

    /// The name that messages use.
    public var name: String { names[0] }
}
