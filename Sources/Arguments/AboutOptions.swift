public import DLP

/// What a program is asked to say of itself, and nothing else to do.
public struct AboutOptions: Sendable {
    /// Whether that is how to call it.
    public var wantsHelp = false
    /// Whether that is its version.
    public var wantsVersion = false
    /// The shell for which a completion is wanted.
    public var shell: SystemString?
    /// Whether that is its page of the manual.
    public var wantsManual = false

    /// Nothing.
    public init() {}

    /// The options by which it is asked.
    public static let entries: [SettableOption<AboutOptions>] = [
        SettableOption(Option("--version", help: "Print the version."), .flag({ $1(&$0.wantsVersion) })),
        SettableOption(Option("--help", "-h", help: "Print this."), .flag({ $1(&$0.wantsHelp) })),
        SettableOption(
            Option(
                "--generate-completion-script", value: "SHELL",
                help: "Print the script by which a shell completes command lines: bash, zsh or fish."),
            .text({ $1(&$0.shell) }, offers: .words(ShellCompletion.shells))),
        SettableOption(
            Option("--generate-manual", help: "Print the page of the manual.", isHidden: true),
            .flag({ $1(&$0.wantsManual) })),
    ]
}

/// A program with its table of options, as it tells people of itself.
public struct ProgramDescription<Entry: OptionEntry>: Sendable {
    /// Its name.
    public var program: String
    /// Its version.
    public var version: String
    /// All its options.
    public var sections: [OptionSection<Entry>]
    /// What a shell offers in place of the first word that is no option.
    public var first: Option.Completion
    /// What else there is to say.
    public var manual: Manual

    /// A program.
    public init(
        program: String, version: String, sections: [OptionSection<Entry>], first: Option.Completion, manual: Manual
    ) {
        self.program = program
        self.version = version
        self.sections = sections
        self.first = first
        self.manual = manual
    }

    /// What it says of itself; nil where it is asked for nothing.
    ///
    /// - Throws: `ArgumentError` for a shell that there is no completion for.
    public func text(_ asked: AboutOptions) throws(ArgumentError) -> String? {
        if asked.wantsHelp { return HelpPage(program: program, manual: manual, sections: sections).text }
        if asked.wantsVersion { return "\(program) \(version)" }
        if asked.wantsManual {
            return ManualPage(program: program, release: "\(program) \(version)", manual: manual, sections: sections)
                .text
        }
        guard let shell = asked.shell else { return nil }
        let completion = ShellCompletion(program: program, entries: sections.flatMap(\.shown), first: first)
        guard let script = completion.script(for: shell.description) else {
            throw ArgumentError("--generate-completion-script knows bash, zsh and fish, not '\(shell)'")
        }
        return script
    }
}
