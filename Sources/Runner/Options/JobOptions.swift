public import DLP
public import LuaHost
public import Report

/// How examples are distributed.
public enum Mode: String, CaseIterable, Sendable {
    case roundRobin = "round-robin"
    case managed
    case map
}

/// Where ranks get their examples from.
public enum ExampleSource: String, CaseIterable, Sendable {
    /// Every rank makes the list itself.
    case replicate
    /// The root sends them with the work.
    case root
}

/// Yes or no.
public enum Choice: String, CaseIterable, Sendable {
    case yes
    case no
}

/// What an example that fails means for the job.
public enum OnError: String, CaseIterable, Sendable {
    case stop
    /// The others are done, and the job's status is 4.
    case `continue`
}

/// Where the seed of random numbers comes from.
public enum Seed: Equatable, Sendable {
    case number(Int64)
    /// The root draws one.
    case random

    /// The seed that `text` names: a whole number or `random`.
    public init?(_ text: String) {
        if text == "random" {
            self = .random
        } else if let number = Int64(text) {
            self = .number(number)
        } else {
            return nil
        }
    }
}

/// A mistake in the options or their values: exit status 2.
public struct UsageError: Error, Sendable, CustomStringConvertible {
    /// One sentence.
    public var message: String

    /// An error with its sentence.
    public init(_ message: String) { self.message = message }

    /// The sentence.
    public var description: String { message }
}

/// The options of a job that the command line or the script may set; nil where neither did.
public struct JobOptions: Sendable {
    /// How examples are distributed; `map` by default.
    public var mode: Mode?
    /// What carries messages; by default what the launcher suggests.
    public var backend: Backend?
    /// How many examples are handed out at a time; by default as many as pay.
    public var chunk: Int?
    /// Whether the root takes examples too; yes by default.
    public var rootWorks: Choice?
    /// Who makes the list of examples; by default every rank, where all make the same.
    public var examples: ExampleSource?
    /// What seeds `math.random` beside an example's index; 0 by default.
    public var seed: Seed?
    /// What an example that fails means for the job; its end by default.
    public var onError: OnError?
    /// How often an example that fails is tried again; 0 by default.
    public var retries: Int?
    /// On how many ranks that die an example may be under work before it counts as failed; 2 by default.
    public var crashLimit: Int?
    /// Where ranks may come late; by default none may.
    public var joinable: JobAddress?
    /// How many seconds to wait for all ranks; 60 by default.
    public var connectTimeout: Double?
    /// For how many seconds a rank whose connection broke tries to come back; 60 by default, 0: not at all.
    public var rejoin: Double?
    /// When progress is shown; by default on a terminal.
    public var progress: ProgressReporter.Mode?
    /// The file for the results; by default they go to the script, or to standard output.
    public var output: SystemString?
    /// The files that show who did what when; none by default.
    public var timelines: [SystemString] = []
    /// The file whose records are the examples, `-` for standard input; by default the script says what they are.
    public var input: SystemString?
    /// How it is divided; by default as the end of its name says.
    public var format: InputReader.Format?
    /// How many bytes of memory the script may use on each rank; any number by default.
    public var memory: Int?
    /// How many seconds an example may take; any number by default.
    public var timeout: Double?
    /// After how many seconds no more examples are begun; never by default.
    public var stopAfter: Double?
    /// Whether files, programs, modules and bytecode are kept from the script, which must not decide that itself.
    public var isSandboxed = false
    /// Which devices the ranks of a host share, one each; by default no rank is told.
    public var gpus: DeviceWish?
    /// Whether all that ranks say to each other is encrypted, or nothing; by default what leaves a host is.
    public var encrypt: Choice?
    /// The file that holds what is done.
    public var journal: SystemString?
    /// Whether to go on with a journal that another script has made; no by default.
    public var keep: Choice?
    /// Whether to begin the journal anew; no by default.
    public var fresh: Choice?

    /// Nothing set.
    public init() {}

    /// Sets an option by its name, without dashes, from the text of its value.
    ///
    /// - Throws: `UsageError` for an unknown name or a value that does not fit.
    public mutating func set(_ name: String, _ value: SystemString) throws(UsageError) {
        switch name {
        case "output": output = value
        case "timeline": timelines.append(value)
        case "journal": journal = value
        case "input": input = value
        // What is not UTF-8 is shown by escapes, which no other option takes for a value.
        default: try set(name, text: value.description)
        }
    }

    private mutating func set(_ name: String, text value: String) throws(UsageError) {
        switch name {
        case "mode": mode = try choice(name, value)
        case "backend": backend = try choice(name, value)
        case "root-works": rootWorks = try choice(name, value)
        case "examples": examples = try choice(name, value)
        case "progress": progress = try choice(name, value)
        case "keep": keep = try choice(name, value)
        case "fresh": fresh = try choice(name, value)
        case "encrypt": encrypt = try choice(name, value)
        case "format": format = try choice(name, value)
        case "on-error": onError = try choice(name, value)
        case "retries": retries = try number(name, value, 0...FailurePolicy.limit)
        case "crash-limit": crashLimit = try number(name, value, 1...FailurePolicy.limit)
        case "chunk": chunk = try number(name, value, 1...Int.max)
        case "seed":
            guard let parsed = Seed(value) else {
                throw UsageError("seed must be a whole number or random, not '\(value)'")
            }
            seed = parsed
        case "memory":
            guard let parsed = ByteCount(value) else {
                throw UsageError("memory must be a number of bytes, as 500000, 512M or 2G, not '\(value)'")
            }
            memory = parsed.bytes
        case "timeout":
            timeout = try seconds(name, value, atLeast: 0.001)
        case "stop-after": stopAfter = try seconds(name, value, atLeast: 0.001)
        case "joinable":
            guard let parsed = JobAddress(value) else {
                throw UsageError("joinable must be [HOST:]PORT, as 0, 7000 or node1:7000, not '\(value)'")
            }
            joinable = parsed
        case "gpus":
            guard let parsed = DeviceWish(value) else {
                throw UsageError("gpus must be auto, a number from 1 to 1024, or a list as 0,2,3, not '\(value)'")
            }
            gpus = parsed
        case "rejoin": rejoin = try seconds(name, value, atLeast: 0)
        case "connect-timeout": connectTimeout = try seconds(name, value, atLeast: 0.001)
        default: throw UsageError("there is no option \(name)")
        }
    }

    /// The options that are set and concern nothing but a job: the loops of the module do not heed them.
    var namesOfJobsOnly: [String] {
        names([
            ("mode", mode != nil), ("examples", examples != nil), ("output", output != nil), ("rejoin", rejoin != nil),
            ("input", input != nil), ("format", format != nil),
        ])
    }

    /// The names of those that were given and are for scripts that hand out examples, if only by a loop.
    var namesOfLoopsOnly: [String] {
        names([
            ("timeout", timeout != nil), ("stop-after", stopAfter != nil),
        ])
    }

    /// The same for those that are for jobs and for loops whose results come to the root.
    var namesOfMapsOnly: [String] {
        names([
            ("on-error", onError != nil), ("retries", retries != nil), ("crash-limit", crashLimit != nil),
        ])
    }

    /// The same for those that are for jobs and for loops that have a name.
    var namesOfStagesOnly: [String] { names([("journal", journal != nil)]) }

    private func names(_ all: [(String, Bool)]) -> [String] { all.filter(\.1).map { "--\($0.0)" } }

    private func choice<Option: RawRepresentable<String> & CaseIterable>(
        _ name: String, _ value: String
    ) throws(UsageError) -> Option {
        guard let option = Option(rawValue: value) else {
            let choices = Option.allCases.map(\.rawValue).joined(separator: ", ")
            throw UsageError("\(name) must be one of \(choices), not '\(value)'")
        }
        return option
    }

    private func number(_ name: String, _ value: String, _ range: ClosedRange<Int>) throws(UsageError) -> Int {
        guard let number = Int(value), range ~= number else {
            let end = range.upperBound == .max ? "on" : "to \(range.upperBound)"
            throw UsageError("\(name) must be a whole number from \(range.lowerBound) \(end), not '\(value)'")
        }
        return number
    }

    private func seconds(_ name: String, _ value: String, atLeast least: Double) throws(UsageError) -> Double {
        guard let seconds = Double(value), seconds >= least, seconds < 1e9 else {
            throw UsageError("\(name) must be a number of seconds, \(least) at least, not '\(value)'")
        }
        return seconds
    }

    /// Takes over what the script asks for, where the command line has not said otherwise.
    ///
    /// - Throws: `UsageError` for an unknown name or a value that does not fit.
    mutating func addScriptOptions(
        _ options: [(name: String, value: ScriptOptionValue)]
    ) throws(UsageError) {
        var script = JobOptions()
        for (name, value) in options {
            let known = JobOption.all.first { $0.name == name }
            if name == "sandbox" {
                throw UsageError("sandbox cannot be set by the script, which it is to guard against")
            }
            if known?.script == .never {
                throw UsageError("\(name) cannot be set by the script, which is read too late for it")
            }
            guard known != nil else {
                let written = { (name: String) in String(name.map { $0 == "-" ? "_" : $0 }) }
                let open = JobOption.all.filter { $0.script != .never }.map(\.name)
                let guess = nearestName(to: name, among: open).map { "; is \(written($0)) meant?" }
                throw UsageError("there is no option \(written(name))\(guess ?? "")")
            }
            if isSandboxed, known?.script == .whereTrusted {
                throw UsageError("\(name) cannot be set by the script under --sandbox, which may not name files")
            }
            if case .truth(let truth) = value, known?.isYesOrNo != true {
                throw UsageError("\(name) must be a string or a number, not \(truth)")
            }
            try script.set(name, value.text)
        }
        if script.encrypt == .yes, encrypt == .no {
            throw UsageError("encrypt asks for what --encrypt no forbids: leave that out")
        }
        mode = mode ?? script.mode
        chunk = chunk ?? script.chunk
        rootWorks = rootWorks ?? script.rootWorks
        examples = examples ?? script.examples
        seed = seed ?? script.seed
        onError = onError ?? script.onError
        retries = retries ?? script.retries
        crashLimit = crashLimit ?? script.crashLimit
        progress = progress ?? script.progress
        output = output ?? script.output
        // The format of the script's own file is not that of another.
        if input == nil || script.input == nil { format = format ?? script.format }
        input = input ?? script.input
        if timelines.isEmpty { timelines = script.timelines }
        memory = memory ?? script.memory
        timeout = timeout ?? script.timeout
        stopAfter = stopAfter ?? script.stopAfter
        rejoin = rejoin ?? script.rejoin
        journal = journal ?? script.journal
        encrypt = encrypt ?? script.encrypt
        if keep == nil, fresh == nil { (keep, fresh) = (script.keep, script.fresh) }
    }
}

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
        /// The running job at this address, which is to be joined, has it.
        case running(JobAddress)
        /// None: `--info`.
        case none
    }

    /// What to do with it.
    public enum Task: Sendable {
        case run
        /// Load it and look at its examples only.
        case check
        /// Say how ranks find each other.
        case info

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
