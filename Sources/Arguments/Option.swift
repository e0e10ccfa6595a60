public import DLP

/// The spelling of a command-line option, and its help text.
public struct Option: Sendable {
    /// What a shell offers for a word.
    public enum Completion: Sendable {
        /// Nothing.
        case none
        /// These words.
        case words([String])
        /// Files; only those with one of these endings, if there are any.
        case files([String])
        /// Directories.
        case directories
        /// A program as the first word, and then that program's arguments.
        case command
    }

    /// The possible values of an option whose value may be left out.
    public struct OptionalValue: Sendable {
        /// The words that count as the value if one of them follows.
        public var words: [String]
        /// The value if none of them follows.
        public var usual: String

        /// A value that is one of `words`, or `usual` if it is left out.
        public init(_ words: [String], usual: String) {
            self.words = words
            self.usual = usual
        }
    }

    /// The name that messages use, with its dashes.
    public var name: String
    /// Another name, if it has one.
    public var alias: String?
    /// The name of its value; nil for a switch.
    public var value: String?
    /// What it does, in one or two sentences.
    public var help: String
    /// Whether a number may follow its name directly, as in `-np4`.
    public var joinsNumbers: Bool
    /// The possible values if the value may be left out; nil where it must follow.
    public var optionalValue: OptionalValue?
    /// Whether it is for other programs only, and is not shown to users.
    public var isHidden: Bool

    /// An option.
    public init(
        _ name: String, _ alias: String? = nil, value: String? = nil, help: String, joinsNumbers: Bool = false,
        optionalValue: OptionalValue? = nil, isHidden: Bool = false
    ) {
        self.name = name
        self.alias = alias
        self.value = value
        self.help = help
        self.joinsNumbers = joinsNumbers
        self.optionalValue = optionalValue
        self.isHidden = isHidden
    }

    /// All its names, first the one that messages use.
    public var names: [String] { [name] + (alias.map { [$0] } ?? []) }

    /// Whether a value must follow it.
    var wantsValue: Bool { value != nil && optionalValue == nil }

    /// Whether it has this name.
    func isCalled(_ name: String) -> Bool { self.name == name || alias == name }

    /// Its spelling, with its value: `-np N, -n N`.
    var spelling: String {
        names.map { name in
            guard let value else { return name }
            return optionalValue == nil ? "\(name) \(value)" : "\(name) [\(value)]"
        }.joined(separator: ", ")
    }
}

/// An option with its effect: an entry in a program's table of options.
public protocol OptionEntry: Sendable {
    /// Its spelling.
    var option: Option { get }
    /// What a shell offers for its value.
    var completion: Option.Completion { get }
}

/// Options that belong together, under one title in help and manual.
public struct OptionSection<Entry: Sendable>: Sendable {
    /// A few words.
    public var title: String
    /// The options, in the order in which they are shown.
    public var entries: [Entry]

    /// A section.
    @inlinable
    public init(_ title: String, _ entries: [Entry]) {
        self.title = title
        self.entries = entries
    }
}

extension OptionSection where Entry: OptionEntry {
    /// The options that are shown to users.
    var shown: [Entry] { entries.filter { !$0.option.isHidden } }
}

/// An option that sets something in `Target`.
public struct SettableOption<Target>: OptionEntry {
    /// Its spelling.
    public let option: Option
    /// What its value sets.
    ///
    /// It is made when needed, because a call uses few options of a table.
    public let setting: @Sendable () -> Setting<Target>

    /// An option.
    @inlinable
    public init(_ option: Option, _ setting: @autoclosure @escaping @Sendable () -> Setting<Target>) {
        self.option = option
        self.setting = setting
    }

    /// What a shell offers for its value.
    @inlinable public var completion: Option.Completion { setting().completion }

    /// Applies a value.
    ///
    /// - Throws: `ArgumentError` where the value is not valid.
    @inlinable
    public func set(_ value: SystemString, in target: inout Target) throws(ArgumentError) {
        try setting().set(value, in: &target, as: option.name)
    }
}
