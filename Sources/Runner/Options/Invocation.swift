public import DLP
public import LuaHost

/// What a call of dlp-lua is to do.
public struct Invocation: Sendable {
    /// Where the script comes from.
    public enum Source: Equatable, Sendable {
        case file(SystemString)
        /// The text itself, from `-e`.
        case text(SystemString)
        /// A command that is run for each example, from `--each`.
        case command(SystemString)
        /// The root's standard input.
        case standardInput
        /// No script, but a journal to be shown, or one stage of it.
        case journal(SystemString, stage: String?)
        /// No script, but the times in a journal, or in one stage of it, by which a job on these ranks is planned.
        case plan(SystemString, stage: String?, PlannedRanks)
        /// No script, but a journal to be followed, or one stage of it.
        case watch(SystemString, stage: String?)
        /// The script of the running job at this address, which is to be joined.
        case running(JobAddress)
        /// No script: `--info`.
        case none
    }

    /// What to do with the script.
    public enum Task: Sendable, Equatable {
        case run
        /// Load the script and look only at its examples.
        case check
        /// Say what a job that goes on with a journal would do, or whether it would do one example, by its index from
        /// 1.
        case preview(example: Int?)
        /// Say how ranks find each other.
        case info

        /// Whether the user only asks what would be done.
        var isPreview: Bool { if case .preview = self { true } else { false } }

        /// Whether examples are worked on.
        var isRun: Bool { if case .run = self { true } else { false } }
    }

    /// Where the script comes from.
    public var source: Source
    /// The script's arguments.
    public var arguments: [SystemString]
    /// What to do with the script.
    public var task: Task
    /// The job's options from the command line.
    public var options: JobOptions
    /// The example lists of the command line, for a script without a function `examples`.
    public var lists: [ExampleList] = []
    /// How the files in these lists are divided into examples.
    public var listFormat = InputReader.Format.lines
    /// The options of a command that takes the place of the script.
    public var commandOptions = CommandOptions()
    /// The first of the script's arguments that looks like an option of dlp-lua; those must stand before the script.
    public var misplacedOption: SystemString?

    /// A call of dlp-lua.
    public init(source: Source, arguments: [SystemString], task: Task, options: JobOptions) {
        self.source = source
        self.arguments = arguments
        self.task = task
        self.options = options
    }
}
