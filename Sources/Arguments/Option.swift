public import DLP

/// How an option of a command line is written, and what the help says of it.
public struct Option: Sendable {
    /// What a shell offers in place of a word.
    public enum Completion: Sendable {
        /// Nothing.
        case none
        /// These words.
        case words([String])
        /// Files; those whose names end so where endings are given.
        case files([String])
        /// Directories.
        case directories
        /// Programs, and behind the first their arguments.
        case command
    }

    /// What a value that may be left out can be.
    public struct OptionalValue: Sendable {
        /// The words that are taken for it where they follow.
        public var words: [String]
        /// What it is where none of them follows.
        public var usual: String

        /// A value that is one of `words`, and `usual` where it is left out.
        public init(_ words: [String], usual: String) {
            self.words = words
            self.usual = usual
        }
    }

    /// The name that messages use, with its dashes.
    public var name: String
    /// Another name, if it has one.
    public var alias: String?
    /// What its value is called; nil for a switch.
    public var value: String?
    /// What it does, in one or two sentences.
    public var help: String
    /// Whether a number may follow its name at once, as in `-np4`.
    public var joinsNumbers: Bool
    /// What its value is where it may be left out; nil where it must follow.
    public var optionalValue: OptionalValue?
    /// Whether it is for other programs, and nobody is told of it.
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

    /// All its names, the one that messages use first.
    public var names: [String] { [name] + (alias.map { [$0] } ?? []) }

    /// Whether a value must follow it.
    var wantsValue: Bool { value != nil && optionalValue == nil }

    /// Whether it has this name.
    func isCalled(_ name: String) -> Bool { self.name == name || alias == name }

    /// How it is written, with its value: `-np N, -n N`.
    var spelling: String {
        names.map { name in
            guard let value else { return name }
            return optionalValue == nil ? "\(name) \(value)" : "\(name) [\(value)]"
        }.joined(separator: ", ")
    }
}

/// An option with what it does: an entry of a program's table of options.
public protocol OptionEntry: Sendable {
    /// How it is written.
    var option: Option { get }
    /// What a shell offers for its value.
    var completion: Option.Completion { get }
}

/// Options that belong together, under one title in help and manual.
public struct OptionSection<Entry: Sendable>: Sendable {
    /// A few words.
    public var title: String
    /// The options, in the order in which they are told.
    public var entries: [Entry]

    /// A section.
    @inlinable
    public init(_ title: String, _ entries: [Entry]) {
        self.title = title
        self.entries = entries
    }
}

extension OptionSection where Entry: OptionEntry {
    /// The options of which people are told.
    var shown: [Entry] { entries.filter { !$0.option.isHidden } }
}

/// An option that sets something in `Target`.
public struct SettableOption<Target>: OptionEntry {
    /// How it is written.
    public let option: Option
    /// What its value sets, made where it is asked for: few of a table are used in a call.
    public let setting: @Sendable () -> Setting<Target>

    /// An option.
    @inlinable
    public init(_ option: Option, _ setting: @autoclosure @escaping @Sendable () -> Setting<Target>) {
        self.option = option
        self.setting = setting
    }

    /// What a shell offers for its value.
    @inlinable public var completion: Option.Completion { setting().completion }

    /// Takes a value over.
    ///
    /// - Throws: `ArgumentError` where it does not fit.
    @inlinable
    public func set(_ value: SystemString, in target: inout Target) throws(ArgumentError) {
        try setting().set(value, in: &target, as: option.name)
    }
}
