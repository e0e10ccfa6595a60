public import Arguments
public import DLP

/// The options of ameexec.
public struct AmeexecOptions: Sendable {
    /// What ameexec is to tell about itself.
    public var about = AboutOptions()
    /// How many ranks to start, and on which hosts.
    public var start = StartOptions()
    /// How to start them.
    public var launch = LaunchOptions()

    /// Creates options without values.
    public init() {}

    /// An option, which sets a part of one of the three properties.
    public enum Entry: OptionEntry {
        case about(SettableOption<AboutOptions>)
        case start(SettableOption<StartOptions>)
        case launch(SettableOption<LaunchOptions>)

        /// Its spelling and help.
        public var option: Option {
            switch self {
            case .about(let entry): entry.option
            case .start(let entry): entry.option
            case .launch(let entry): entry.option
            }
        }

        /// What a shell offers to complete its value.
        public var completion: Option.Completion {
            switch self {
            case .about(let entry): entry.completion
            case .start(let entry): entry.completion
            case .launch(let entry): entry.completion
            }
        }

    }

    /// Every option, declared once; all other code that needs the options reads them here.
    public static let sections: [OptionSection<Entry>] = [
        OptionSection("Ranks", StartOptions.entries.map { .start($0) } + ranks),
        OptionSection("Input and output", streams),
        OptionSection("Information", information + AboutOptions.entries.map { .about($0) }),
    ]

    /// All options, in this order.
    public static let entries: [Entry] = sections.flatMap(\.entries)

    private static let ranks: [Entry] = [
        .launch(
            SettableOption(
                Option(
                    "--bind-to", value: "core|none",
                    help: "core: each rank runs on one CPU only; none: anywhere (none)."),
                .choice({ $1(&$0.binding) }))),
        .launch(
            SettableOption(
                Option(
                    "-x", value: "NAME[=VALUE]",
                    help: "Set a variable in the environment of the ranks, or pass it on as it is; may be repeated."),
                .list({ $1(&$0.exports) }, offers: .none, text: { $0.name }, parse: { LaunchOptions.export($0) }))),
        .launch(
            SettableOption(
                Option("--timeout", value: "SECONDS", help: "End the job after so many seconds, with status 124."),
                .value({ $1(&$0.timeout) }, "a number of seconds", offers: .none) { Double($0) })),
    ]

    private static let streams: [Entry] = [
        .launch(
            SettableOption(
                Option(
                    "--pty", value: "RANK",
                    help: """
                        The rank that reads standard input, a terminal too. Otherwise it is rank 0, where standard input is \
                        no terminal.
                        """),
                .value({ $1(&$0.pty) }, "the number of a rank", offers: .none) { Int($0) })),
        .launch(
            SettableOption(
                Option("--tag-output", help: "Begin each line of output with [rank]."), .flag({ $1(&$0.tagOutput) }))),
    ]

    private static let information: [Entry] = [
        .launch(
            SettableOption(
                Option("--debug", help: "Say when each rank starts and how it ends."), .flag({ $1(&$0.debug) })))
    ]

    /// Sets an option that was given.
    ///
    /// - Throws: `ArgumentError` where its value does not fit.
    public mutating func set(_ entry: Entry, _ value: SystemString) throws(ArgumentError) {
        let value = entry.option.value == nil ? "yes" : value
        switch entry {
        case .about(let entry): try entry.set(value, in: &about)
        case .start(let entry): try entry.set(value, in: &start)
        case .launch(let entry): try entry.set(value, in: &launch)
        }
    }
}
