import Arguments
import DLP
import LuaHost
import Report

/// A job's options with their defaults.
///
/// Options without a default are read directly.
@dynamicMemberLookup
struct JobSettings {
    /// The options of command line and script.
    private let options: JobOptions
    var seed: Int64
    /// How many ranks the job has.
    var size: Int
    /// The journal, if the job keeps one.
    var journal: JournalSettings?
    /// The input that provides the examples, if one was named.
    var input: ExampleInput?
    /// Whether a command takes the place of the script.
    var isCommand = false

    init(_ options: JobOptions, seed: Int64, size: Int) {
        self.options = options
        self.seed = seed
        self.size = size
    }

    subscript<Value>(dynamicMember path: KeyPath<JobOptions, Value>) -> Value { options[keyPath: path] }

    /// Returns the option by which only some of the examples are done; nil where all are.
    ///
    /// - Throws: `UsageError` as `JobOptions.choice` does.
    func choice() throws(UsageError) -> String? { try options.choice() }

    /// Whether the journal notes what each example enters and opens.
    var tracks: Bool { options.track == .yes && options.journal != nil && !isCommand }
    var mode: Mode { options.mode ?? .map }
    // A single rank that does not work would leave everything undone.
    var rootWorks: Bool { options.rootWorks != .no || size == 1 }
    var progress: ProgressReporter.Mode { options.progress ?? .auto }
    /// Whether events of ranks are recorded, for a timeline or a page.
    var hasTimeline: Bool { !options.timelines.isEmpty || options.report != nil }
    /// Whether the memory that examples use is shown anywhere.
    var showsMemory: Bool { journal != nil || options.with != nil || options.report != nil || progress == .on }
    /// For how many seconds a rank whose connection broke tries to reconnect.
    var rejoin: Double { options.rejoin ?? 60 }
    var failures: FailurePolicy {
        FailurePolicy(
            continues: options.onError == .continue, retries: options.retries ?? 0,
            crashLimit: options.crashLimit ?? 2)
    }

    /// The options with those defaults that all ranks have to know.
    private var effective: JobOptions {
        var effective = options
        effective.mode = mode
        effective.rootWorks = rootWorks ? .yes : .no
        effective.seed = .number(seed)
        effective.onError = failures.continues ? .continue : .stop
        effective.retries = failures.retries
        effective.crashLimit = failures.crashLimit
        return effective
    }

    /// The options that a joining rank must be told, by name, and their values.
    var forOthers: [(name: String, value: SystemString)] {
        let effective = effective
        return JobOption.all.filter(\.isOffered).compactMap { option in
            option.value(in: effective).map { (option.name, $0) }
        }
    }

    /// Returns the options that all ranks must have in common, as on the command line, with their values.
    ///
    /// A value is empty where it does not matter: the names of files concern only the root.
    static func common(_ options: JobOptions, size: Int) -> [(name: String, value: String)] {
        var effective = JobSettings(options, seed: 0, size: size).effective
        effective.seed = options.seed ?? effective.seed
        return JobOption.all.compactMap { option in
            guard option.alike != .none, let value = option.value(in: effective) else { return nil }
            return (option.option.name, option.alike == .value ? value.description : "")
        }
    }

    var loopDefaults: LuaHost.LoopDefaults {
        var defaults = LuaHost.LoopDefaults()
        defaults.rootWorks = rootWorks
        defaults.chunk = options.chunk
        defaults.failures = failures
        defaults.timeout = options.timeout
        defaults.keepsStages = journal != nil
        defaults.tracks = tracks
        return defaults
    }
}
