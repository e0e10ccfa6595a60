public import Arguments
import DLP
public import Launcher

/// An option of dlp-lua; it sets a part of `GivenOptions` or `JobOptions`.
public enum CommandOption: OptionEntry {
    case about(SettableOption<AboutOptions>)
    /// For the launcher only: it does not pass the option on to its ranks.
    case start(SettableOption<StartOptions>)
    case call(SettableOption<CallOptions>)
    case job(JobOption)

    /// Its spelling and help.
    public var option: Option {
        switch self {
        case .about(let entry): entry.option
        case .start(let entry): entry.option
        case .call(let entry): entry.option
        case .job(let entry): entry.option
        }
    }

    /// What a shell offers to complete its value.
    public var completion: Option.Completion {
        switch self {
        case .about(let entry): entry.completion
        case .start(let entry): entry.completion
        case .call(let entry): entry.completion
        case .job(let entry): entry.completion
        }
    }

    /// Every option, declared once; all other code that needs the options reads them here.
    public static let sections: [OptionSection<CommandOption>] = [
        OptionSection("What to run", script),
        OptionSection("Ranks", StartOptions.entries.map { .start($0) } + ranks),
        OptionSection("Examples", examples + choice),
        OptionSection("Handing out", handOut),
        OptionSection("Failures and limits", failures),
        OptionSection("Journal", journal),
        OptionSection("Results and progress", results),
        OptionSection("Connections", connections),
        OptionSection("Information", information + AboutOptions.entries.map { .about($0) }),
    ]

    /// All options, in this order.
    public static let all: [CommandOption] = sections.flatMap(\.entries)
}
