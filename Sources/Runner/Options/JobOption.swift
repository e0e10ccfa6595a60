public import Arguments
import DLP

/// An option of a job: its spelling, what it sets, and which ranks and scripts it concerns.
public struct JobOption: OptionEntry {
    /// Whether a script may set it in `dlp.options`.
    public enum ScriptRight: Sendable {
        case always
        /// Not under `--sandbox`: it names a file.
        case whereTrusted
        /// Never, for this reason, which is a clause about the script.
        case never(String)

        /// For options that ranks need before they read the script.
        static let tooLate = ScriptRight.never("which is read too late for it")
        /// For options that are meant for a single run.
        static let ofOneRun = ScriptRight.never("which says what every run has: it is for the command line")
    }

    /// Which scripts use it.
    public enum Heed: Sendable {
        case everyScript
        /// Scripts with a function `work`.
        case jobs
        /// Those, and scripts that hand out examples by a loop.
        case loops
        /// Those, where the results of the loop come to the root.
        case maps
        /// Those, where the loop has a name.
        case stages
    }

    /// What must be the same on all ranks of a job.
    public enum Agreement: Sendable {
        /// Nothing: each rank, or only the root, uses it for itself.
        case none
        /// Whether it is set; only the root uses the value.
        case presence
        case value
    }

    /// Its spelling and help.
    public let option: Option
    /// Whether a script may set it.
    let script: ScriptRight
    /// Which scripts use it.
    let heededBy: Heed
    /// What must be the same on all ranks.
    let alike: Agreement
    /// Whether a rank that joins the job is told of it.
    let isOffered: Bool
    /// The options of the command line that override a script's value.
    ///
    /// The same option on the command line does so anyway.
    let rivals: [String]
    /// The option to which it belongs.
    ///
    /// If the command line sets another value for that option, the script's value for this one is dropped too.
    let owner: String?
    /// The setting that its value changes.
    let setting: @Sendable () -> Setting<JobOptions>

    /// An option.
    init(
        _ option: Option, script: ScriptRight, heededBy: Heed, alike: Agreement, isOffered: Bool = false,
        rivals: [String] = [], owner: String? = nil,
        _ setting: @autoclosure @escaping @Sendable () -> Setting<JobOptions>
    ) {
        self.option = option
        self.script = script
        self.heededBy = heededBy
        self.alike = alike
        self.isOffered = isOffered
        self.rivals = rivals
        self.owner = owner
        self.setting = setting
    }

    /// Its name in scripts and in messages about them, without dashes.
    var name: String { String(option.name.dropFirst(2)) }

    /// What a shell offers to complete its value.
    public var completion: Option.Completion { setting().completion }

    /// Whether a script may also set it by a boolean.
    var isYesOrNo: Bool { option.value == nil || option.value == "yes|no" }

    /// Whether it is set.
    func isSet(in options: JobOptions) -> Bool { value(in: options) != nil }

    /// Its value, as the command line would spell it; nil where it is not set.
    func value(in options: JobOptions) -> SystemString? { setting().value(in: options) }

    /// Whether the script's value is dropped because of what the command line says.
    func givesWay(in script: JobOptions, to own: JobOptions) -> Bool {
        if isSet(in: own) || rivals.contains(where: { Self.named($0)?.isSet(in: own) == true }) { return true }
        guard let owner = owner.flatMap(Self.named) else { return false }
        return owner.isSet(in: own) && owner.isSet(in: script)
    }

    /// All options of jobs.
    static let all: [JobOption] = CommandOption.all.compactMap { if case .job(let option) = $0 { option } else { nil } }

    /// Returns the option of this name, given without dashes.
    static func named(_ name: String) -> JobOption? { all.first { $0.name == name } }
}
