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
        /// The times in a journal, or in one stage of it, by which a job on these ranks is planned.
        case plan(SystemString, stage: String?, PlannedRanks)
        /// No script, but a journal to be followed, or one stage of it.
        case watch(SystemString, stage: String?)
        /// The running job at this address, which is to be joined, has it.
        case running(JobAddress)
        /// None: `--info`.
        case none
    }

    /// What to do with it.
    public enum Task: Sendable, Equatable {
        case run
        /// Load it and look at its examples only.
        case check
        /// Say what the job would do that goes on with a journal, or whether it would do one example, by its index from 1.
        case preview(example: Int?)
        /// Say how ranks find each other.
        case info

        /// Whether it is only asked what would be done.
        var isPreview: Bool { if case .preview = self { true } else { false } }

        /// Whether examples are worked on.
        var isRun: Bool { if case .run = self { true } else { false } }
    }

    /// Where the script comes from.
    public var source: Source
    /// The script's arguments.
    public var arguments: [SystemString]
    /// What to do with it.
    public var task: Task
    /// What the command line says about the job.
    public var options: JobOptions
    /// The lists of examples that the command line has, for a script without a function `examples`.
    public var lists: [ExampleList] = []
    /// How the files among them are divided.
    public var listFormat = InputReader.Format.lines
    /// How a command in place of the script is shown.
    public var commandOptions = CommandOptions()
    /// The first of the script's arguments that is written as an option of dlp-lua, which stands before the script.
    public var misplacedOption: SystemString?

    /// A call of dlp-lua.
    public init(source: Source, arguments: [SystemString], task: Task, options: JobOptions) {
        self.source = source
        self.arguments = arguments
        self.task = task
        self.options = options
    }
}
