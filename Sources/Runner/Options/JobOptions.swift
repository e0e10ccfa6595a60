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
    /// How many examples are handed out at a time; by default as many as pay.
    public var chunk: Int?
    /// Whether the root takes examples too; yes by default.
    public var rootWorks: Choice?
    /// Who makes the list of examples; by default every rank, where all make the same.
    public var examples: ExampleSource?
    /// What seeds `math.random` beside an example's index; 0 by default.
    public var seed: Seed?
    /// In which order `collect` sees the results; as they come by default.
    public var collect: CollectOrder?
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
    /// What is written beside each result; nothing by default.
    public var with: [ResultField]?
    /// The files that show who did what when; none by default.
    public var timelines: [SystemString] = []
    /// The page that shows all of the job; none by default.
    public var report: SystemString?
    /// The file whose records are the examples, `-` for standard input; by default the script says what they are.
    public var input: SystemString?
    /// How it is divided; by default as the end of its name says.
    public var format: InputReader.Format?
    /// The examples that alone are done; all by default.
    public var only: ExampleRanges?
    /// How many examples are drawn, which alone are done; all are done by default.
    public var sample: SampleSize?
    /// Whether those alone are done that the journal has as failed; no by default.
    public var failed: Choice?
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
    /// Whether the journal notes what each example enters and opens; no by default.
    public var track: Choice?

    /// The journal of an earlier run, whose seconds say which examples are long.
    public var costs: SystemString?

    /// Nothing set.
    public init() {}

    /// Sets an option by its name, without dashes, from the text of its value.
    ///
    /// - Throws: `UsageError` for an unknown name or a value that does not fit.
    public mutating func set(_ name: String, _ value: SystemString) throws(UsageError) {
        guard let option = JobOption.named(name) else { throw UsageError("there is no option \(name)") }
        try set(option, value, as: name)
    }

    /// Sets an option that stands on the command line.
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

    /// The options that are set and of which only some kinds of scripts take notice, as the command line spells them.
    func names(heededBy kind: JobOption.Heed) -> [String] {
        CommandOption.all.compactMap { entry in
            guard case .job(let option) = entry, option.heededBy == kind, option.isSet(in: self) else { return nil }
            return option.option.name
        }
    }

    /// Takes over what the script asks for, where the command line has not said otherwise.
    ///
    /// - Throws: `UsageError` for an unknown name or a value that does not fit.
    mutating func addScriptOptions(
        _ options: [(name: String, value: ScriptOptionValue)]
    ) throws(UsageError) {
        var script = JobOptions()
        var known: [(option: JobOption, value: SystemString)] = []
        for (name, value) in options {
            let option = try Self.option(name, value, isSandboxed: isSandboxed)
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

    /// The option of this name, where a script may set it to `value`.
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
