public import Arguments
public import DLP
public import Launcher

/// The options of a dlp-lua command line that are not options of a job.
public struct CallOptions: Sendable {
    /// The text of the script.
    public var chunk: SystemString?
    /// The command to run for each example.
    public var command: SystemString?
    /// Whether each line of a command's output has the example before it.
    public var hasTags = false
    /// Whether to print the commands, or what would be done, without doing it.
    public var isDry = false
    /// The example about which to say why it would be done.
    public var why: Int?
    /// The directory that gets a folder with the output of each example's command.
    public var outputs: SystemString?
    /// Whether NUL ends each example.
    public var readsNUL = false
    /// The job to join.
    public var join: SystemString?
    /// The journal to show.
    public var results: SystemString?
    /// The journal by whose times to plan a job.
    public var plan: SystemString?
    /// The journal to follow.
    public var watch: SystemString?
    /// The stage of the journal to show, plan or follow.
    public var stage: SystemString?
    /// Whether only to look at the examples.
    public var checks = false
    /// Whether to say how ranks find each other.
    public var explains = false
    /// Whether to print a new secret.
    public var wantsKey = false

    /// Creates options without values.
    public init() {}
}

/// The options that a command line sets, except those of a job, which `JobOptions` holds.
public struct GivenOptions: Sendable {
    /// What dlp-lua is to tell about itself.
    public var about = AboutOptions()
    /// How many ranks to start, and where.
    public var start = StartOptions()
    /// What to do.
    public var call = CallOptions()

    /// Creates options without values.
    public init() {}

    /// Sets an option that was given; an option of the job is left to `JobOptions`.
    ///
    /// - Throws: `ArgumentError` where its value does not fit.
    public mutating func set(_ option: CommandOption, _ value: SystemString) throws(ArgumentError) {
        let value = option.option.value == nil ? "yes" : value
        switch option {
        case .about(let entry): try entry.set(value, in: &about)
        case .start(let entry): try entry.set(value, in: &start)
        case .call(let entry): try entry.set(value, in: &call)
        case .job: break
        }
    }
}
