public import Arguments
public import DLP
public import Launcher

/// What a command line of dlp-lua says besides the options of a job.
public struct CallOptions: Sendable {
    /// The text of the script.
    public var chunk: SystemString?
    /// The command to run for each example.
    public var command: SystemString?
    /// Whether each line that it writes has the example before it.
    public var hasTags = false
    /// Whether commands are only printed, or it is only said what would be done.
    public var isDry = false
    /// The example of which is to be said why it would be done.
    public var why: Int?
    /// Where a folder for each example is to keep what its command wrote.
    public var outputs: SystemString?
    /// Whether NUL ends each example.
    public var readsNUL = false
    /// The job to join.
    public var join: SystemString?
    /// The journal to show.
    public var results: SystemString?
    /// The journal by whose times a job is to be planned.
    public var plan: SystemString?
    /// The journal to follow.
    public var watch: SystemString?
    /// The stage of it to show, to plan or to follow.
    public var stage: SystemString?
    /// Whether only the examples are looked at.
    public var checks = false
    /// Whether to say how ranks find each other.
    public var explains = false
    /// Whether to print a new secret.
    public var wantsKey = false

    /// Nothing said.
    public init() {}
}

/// What a command line says besides the options of the job, which `JobOptions` has.
public struct GivenOptions: Sendable {
    /// What dlp-lua is to say of itself.
    public var about = AboutOptions()
    /// How many ranks to start, and where.
    public var start = StartOptions()
    /// What to do.
    public var call = CallOptions()

    /// Nothing said.
    public init() {}

    /// Takes over an option that was given; one of the job is left to `JobOptions`.
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
