public import Arguments
import DLP

/// An option of a job: how it is written, what it sets, and whom it concerns.
public struct JobOption: OptionEntry {
    /// Whether a script may set it in `dlp.options`.
    public enum ScriptRight: Sendable {
        case always
        /// Not under `--sandbox`: it names a file.
        case whereTrusted
        /// Never, for this reason, which is a clause about the script.
        case never(String)

        /// For what ranks need before they read the script.
        static let tooLate = ScriptRight.never("which is read too late for it")
        /// For what is said of a single run.
        static let ofOneRun = ScriptRight.never("which says what every run has: it is for the command line")
    }

    /// Which scripts take notice of it.
    public enum Heed: Sendable {
        case everyScript
        /// Those that have a function `work`.
        case jobs
        /// These, and those that hand out examples by a loop.
        case loops
        /// These, where the loop's results come to the root.
        case maps
        /// These, where the loop has a name.
        case stages
    }

    /// What the ranks of a job must have alike of it.
    public enum Agreement: Sendable {
        /// Nothing: it is each rank's own affair, or the root's.
        case none
        /// Whether it is set: its value is the root's affair.
        case presence
        case value
    }

    /// How it is written.
    public let option: Option
    /// Whether a script may set it.
    let script: ScriptRight
    /// Which scripts take notice of it.
    let heededBy: Heed
    /// What the ranks must have alike of it.
    let alike: Agreement
    /// Whether a rank is told that joins the job.
    let isOffered: Bool
    /// The options of the command line to which a script's value gives way, as it does to this one itself.
    let rivals: [String]
    /// The option to which it belongs: where the command line has another value for that, the script's value for this is
    /// dropped, too.
    let owner: String?
    /// What its value sets.
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

    /// Its name as scripts and messages about them have it, without dashes.
    var name: String { String(option.name.dropFirst(2)) }

    /// What a shell offers for its value.
    public var completion: Option.Completion { setting().completion }

    /// Whether a script may set it by a boolean, too.
    var isYesOrNo: Bool { option.value == nil || option.value == "yes|no" }

    /// Whether it is set.
    func isSet(in options: JobOptions) -> Bool { value(in: options) != nil }

    /// What it is set to, as the command line would spell it; nil where it is not set.
    func value(in options: JobOptions) -> SystemString? { setting().value(in: options) }

    /// Whether the value that a script has set is dropped, because of what the command line says.
    func givesWay(in script: JobOptions, to own: JobOptions) -> Bool {
        if isSet(in: own) || rivals.contains(where: { Self.named($0)?.isSet(in: own) == true }) { return true }
        guard let owner = owner.flatMap(Self.named) else { return false }
        return owner.isSet(in: own) && owner.isSet(in: script)
    }

    /// All of them.
    static let all: [JobOption] = CommandOption.all.compactMap { if case .job(let option) = $0 { option } else { nil } }

    /// The one of this name, which is without dashes.
    static func named(_ name: String) -> JobOption? { all.first { $0.name == name } }
}
