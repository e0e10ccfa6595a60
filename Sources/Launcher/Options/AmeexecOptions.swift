public import Arguments
public import DLP

/// The options of ameexec.
public struct AmeexecOptions: Sendable {
    /// What it is to say of itself.
    public var about = AboutOptions()
    /// How many ranks to start, and where.
    public var start = StartOptions()
    /// How to start them.
    public var launch = LaunchOptions()

    /// Nothing set.
    public init() {}

    /// An option: what it sets is one of the three.
    public enum Entry: OptionEntry {
        case about(SettableOption<AboutOptions>)
        case start(SettableOption<StartOptions>)
        case launch(SettableOption<LaunchOptions>)

        /// How it is written.
        public var option: Option {
            switch self {
            case .about(let entry): entry.option
            case .start(let entry): entry.option
            case .launch(let entry): entry.option
            }
        }

        /// What a shell offers for its value.
        public var completion: Option.Completion {
            switch self {
            case .about(let entry): entry.completion
            case .start(let entry): entry.completion
            case .launch(let entry): entry.completion
            }
        }

    }

    /// Each option, said once: everything else that knows the options asks here.
    public static let sections: [OptionSection<Entry>] = [
        OptionSection("Ranks", StartOptions.entries.map { .start($0) } + ranks),
        OptionSection("Input and output", streams),
        OptionSection("Information", information + AboutOptions.entries.map { .about($0) }),
    ]

    /// All of them, in this order.
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

    /// Takes over an option that was given.
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
