import Arguments
public import DLP
public import LuaHost
public import Report

/// The options of a job that the command line or the script may set; nil where neither did.
public struct JobOptions: Sendable {
    /// How examples are distributed; `map` by default.
    public var mode: Mode?
    /// What carries messages; by default what the launcher suggests.
    public var backend: Backend?
    /// How many examples are handed out at a time; by default a number that suits their lengths.
    public var chunk: Int?
    /// Whether the root takes examples too; yes by default.
    public var rootWorks: Choice?
    /// Which ranks make the list of examples; by default every rank, where all make the same.
    public var examples: ExampleSource?
    /// The seed of `math.random`, used together with an example's index; 0 by default.
    public var seed: Seed?
    /// The order in which `collect` sees the results; by default as they arrive.
    public var collect: CollectOrder?
    /// What a failed example means for the job; by default it ends the job.
    public var onError: OnError?
    /// How often a failed example is tried again; 0 by default.
    public var retries: Int?
    /// How many ranks must die while an example is under work on them before it counts as failed; 2 by default.
    public var crashLimit: Int?
    /// The address at which ranks may join later; by default none may.
    public var joinable: JobAddress?
    /// How many seconds to wait for all ranks; 60 by default.
    public var connectTimeout: Double?
    /// For how many seconds a rank whose connection broke tries to reconnect; 60 by default, 0: not at all.
    public var rejoin: Double?
    /// When progress is shown; by default on a terminal.
    public var progress: ProgressReporter.Mode?
    /// The file for the results; by default they go to the script, or to standard output.
    public var output: SystemString?
    /// The fields written beside each result; none by default.
    public var with: [ResultField]?
    /// The timeline files; none by default.
    public var timelines: [SystemString] = []
    /// The page that shows the whole job; none by default.
    public var report: SystemString?
    /// The file whose records are the examples, `-` for standard input; by default the script makes the examples.
    public var input: SystemString?
    /// How the input is divided into examples; by default as its file name's suffix says.
    public var format: InputReader.Format?
    /// The only examples to do; all by default.
    public var only: ExampleRanges?
    /// The number of examples to draw, which alone are done; by default all are done.
    public var sample: SampleSize?
    /// Whether only the examples are done that failed according to the journal; no by default.
    public var failed: Choice?
    /// How many bytes of memory the script may use on each rank; unlimited by default.
    public var memory: Int?
    /// How many seconds an example may take; unlimited by default.
    public var timeout: Double?
    /// After how many seconds no more examples are begun; never by default.
    public var stopAfter: Double?
    /// Whether the script has no access to files, programs, modules and bytecode.
    ///
    /// The script must not decide this itself.
    public var isSandboxed = false
    /// The devices that the ranks of a host share, one each; by default no rank gets one assigned.
    public var gpus: DeviceWish?
    /// Whether everything that ranks send to each other is encrypted, or nothing; by default only what leaves a host
    /// is.
    public var encrypt: Choice?
    /// The journal: the file that records the examples that are done.
    public var journal: SystemString?
    /// Whether to go on with a journal that was made by another script; no by default.
    public var keep: Choice?
    /// Whether to begin the journal anew; no by default.
    public var fresh: Choice?
    /// Whether the journal notes what each example enters and opens; no by default.
    public var track: Choice?

    /// The journal of an earlier run, whose times say which examples take long.
    public var costs: SystemString?

    /// Creates options without values.
    public init() {}

    /// Sets an option by its name, without dashes, from the text of its value.
    ///
    /// - Throws: `UsageError` for an unknown name or a value that does not fit.
    public mutating func set(_ name: String, _ value: SystemString) throws(UsageError) {
        guard let option = JobOption.named(name) else { throw UsageError("there is no option \(name)") }
        try set(option, value, as: name)
    }

    /// Sets an option from the command line.
    ///
    /// - Throws: `UsageError` for a value that does not fit.
    public mutating func set(_ option: JobOption, _ value: SystemString) throws(UsageError) {
        try set(option, option.option.value == nil ? "yes" : value, as: option.option.name)
    }

    private mutating func set(_ option: JobOption, _ value: SystemString, as name: String) throws(UsageError) {
        do throws(ArgumentError) { try option.setting().set(value, in: &self, as: name) } catch {
            throw UsageError(error.message)
        }
    }

    /// Returns the names of the options that are set and that only scripts of one kind use, as the command line
    /// spells them.
    func names(heededBy kind: JobOption.Heed) -> [String] {
        CommandOption.all.compactMap { entry in
            guard case .job(let option) = entry, option.heededBy == kind, option.isSet(in: self) else { return nil }
            return option.option.name
        }
    }

    /// Adds the script's options, where the command line does not say otherwise.
    ///
    /// - Throws: `UsageError` for an unknown name or a value that does not fit.
    mutating func addScriptOptions(
        _ options: [(name: String, value: ScriptOptionValue)]
    ) throws(UsageError) {
        var script = JobOptions()
        var known: [(option: JobOption, value: SystemString)] = []
        for (name, value) in options {
            let option = try Self.option(name, value, isSandboxed: isSandboxed)
            // The system would take it for the end of a file's name.
            guard !value.text.bytes.contains(0) else { throw UsageError("\(name) has a NUL byte in it") }
            try script.set(option, value.text, as: name)
            known.append((option, value.text))
        }
        if script.encrypt == .yes, encrypt == .no {
            throw UsageError("encrypt asks for what --encrypt no forbids: leave that out")
        }
        let own = self
        for (option, value) in known where !option.givesWay(in: script, to: own) {
            try set(option, value, as: option.name)
        }
    }

    /// Returns the option of this name, where a script may set it to `value`.
    private static func option(
        _ name: String, _ value: ScriptOptionValue, isSandboxed: Bool
    ) throws(UsageError) -> JobOption {
        guard let option = JobOption.named(name) else {
            let written = { (name: String) in String(name.map { $0 == "-" ? "_" : $0 }) }
            let open = JobOption.all.filter { if case .never = $0.script { false } else { true } }.map(\.name)
            let guess = nearestName(to: name, among: open).map { "; is \(written($0)) meant?" }
            throw UsageError("there is no option \(written(name))\(guess ?? "")")
        }
        switch option.script {
        case .never(let reason): throw UsageError("\(name) cannot be set by the script, \(reason)")
        case .whereTrusted where isSandboxed:
            throw UsageError("\(name) cannot be set by the script under --sandbox, which may not name files")
        case .whereTrusted, .always: break
        }
        if case .truth(let truth) = value, !option.isYesOrNo {
            throw UsageError("\(name) must be a string or a number, not \(truth)")
        }
        return option
    }
}
