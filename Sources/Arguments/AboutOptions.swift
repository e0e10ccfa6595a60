public import DLP

/// The options that ask a program for information about itself.
public struct AboutOptions: Sendable {
    /// Whether the help is wanted.
    public var wantsHelp = false
    /// Whether the version is wanted.
    public var wantsVersion = false
    /// The shell for which a completion is wanted.
    public var shell: SystemString?
    /// Whether the page of the manual is wanted.
    public var wantsManual = false

    /// No information is wanted.
    public init() {}

    /// The options by which the information is asked for.
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

/// A program and its table of options, for help, completion and manual.
public struct ProgramDescription<Entry: OptionEntry>: Sendable {
    /// Its name.
    public var program: String
    /// Its version.
    public var version: String
    /// All its options.
    public var sections: [OptionSection<Entry>]
    /// What a shell offers for the first word that is not an option.
    public var first: Option.Completion
    /// The other texts of help and manual.
    public var manual: Manual

    /// A program with these descriptions.
    public init(
        program: String, version: String, sections: [OptionSection<Entry>], first: Option.Completion, manual: Manual
    ) {
        self.program = program
        self.version = version
        self.sections = sections
        self.first = first
        self.manual = manual
    }

    /// Returns the text that was asked for; nil where nothing was.
    ///
    /// - Throws: `ArgumentError` for a shell that has no completion.
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
