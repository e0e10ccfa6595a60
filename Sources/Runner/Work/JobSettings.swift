import DLP
import LuaHost
import Report

/// A job's options with their defaults.
struct JobSettings {
    var mode: Mode
    var chunk: Int?
    var rootWorks: Bool
    var examples: ExampleSource?
    var seed: Int64
    var progress: ProgressReporter.Mode
    var output: SystemString?
    /// Whether it is noted who does what when.
    var hasTimeline: Bool
    /// The journal, if it keeps one.
    var journal: JournalSettings?
    /// What has the examples, if something was named.
    var input: ExampleInput?
    var failures: FailurePolicy
    /// How many ranks the job has.
    var size: Int
    /// Bytes of memory for the script on each rank, and seconds for each example.
    var memory: Int?
    var timeout: Double?
    /// After how many seconds from the start of the program no more examples are begun.
    var stopAfter: Double?
    /// For how many seconds a rank whose connection broke tries to come back.
    var rejoin: Double
    var isSandboxed: Bool
    /// Whether a command takes the place of the script.
    var isCommand = false

    init(_ options: JobOptions, seed: Int64, size: Int) {
        mode = options.mode ?? .map
        chunk = options.chunk
        // A single rank that does not work would leave everything undone.
        rootWorks = options.rootWorks != .no || size == 1
        examples = options.examples
        self.seed = seed
        progress = options.progress ?? .auto
        output = options.output
        hasTimeline = !options.timelines.isEmpty
        failures = FailurePolicy(
            continues: options.onError == .continue, retries: options.retries ?? 0,
            crashLimit: options.crashLimit ?? 2)
        self.size = size
        memory = options.memory
        timeout = options.timeout
        stopAfter = options.stopAfter
        rejoin = options.rejoin ?? 60
        isSandboxed = options.isSandboxed
    }

    /// What of them a rank must know that was not started with them: options by name, and their values.
    var forOthers: [(name: String, value: SystemString)] {
        let values: [(String, String?)] = [
            ("mode", mode.rawValue), ("chunk", chunk.map { "\($0)" }), ("root-works", rootWorks ? "yes" : "no"),
            ("examples", examples?.rawValue), ("seed", "\(seed)"),
            ("on-error", failures.continues ? "continue" : "stop"),
            ("retries", "\(failures.retries)"), ("crash-limit", "\(failures.crashLimit)"),
            ("memory", memory.map { "\($0)" }), ("timeout", timeout.map { "\($0)" }),
        ]
        let files = [("journal", journal?.path), ("output", output)]
        return (values.map { ($0, $1.map { SystemString($0) }) } + files).compactMap { name, value in
            value.map { (name, $0) }
        }
    }

    /// What all ranks must have alike: options as on the command line, and their values, which are empty where they do not
    /// matter: the names of files are the root's affair.
    static func common(_ options: JobOptions, size: Int) -> [(name: String, value: String)] {
        let seed: String =
            switch options.seed {
            case .number(let number): "\(number)"
            case .random: "random"
            case nil: "0"
            }
        let switches = [
            ("journal", options.journal != nil), ("output", options.output != nil),
            ("input", options.input != nil), ("format", options.format != nil),
            ("timeline", !options.timelines.isEmpty), ("sandbox", options.isSandboxed),
        ]
        var settings = JobSettings(options, seed: 0, size: size)
        (settings.journal, settings.output) = (nil, nil)
        var common = settings.forOthers.filter { $0.name != "seed" }.map { ($0.name, $0.value.description) }
        common.append(("seed", seed))
        if let stopAfter = options.stopAfter { common.append(("stop-after", "\(stopAfter)")) }
        if let rejoin = options.rejoin { common.append(("rejoin", "\(rejoin)")) }
        for (name, isSet) in switches where isSet { common.append((name, "")) }
        return common.map { ("--\($0.0)", $0.1) }
    }

    var loopDefaults: LuaHost.LoopDefaults {
        var defaults = LuaHost.LoopDefaults()
        defaults.rootWorks = rootWorks
        defaults.chunk = chunk
        defaults.failures = failures
        defaults.timeout = timeout
        defaults.keepsStages = journal != nil
        return defaults
    }
}
