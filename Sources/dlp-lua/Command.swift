import Arguments
import DLP
import Launcher
import Runner

/// The command line of dlp-lua.
struct Command {
    /// What stands on it besides the options of a job.
    private static let own: [Option] = [
        Option("-np", "-n", value: "N", completion: .words(["auto"]), joinsNumbers: true),
        Option("--hosts", value: "HOST[:RANKS],...", completion: .words(["auto"])),
        Option("--hostfile", value: "FILE", completion: .files([])),
        Option("--remote-path", value: "DIRECTORY"),
        Option("--tunnel"),
        Option("-e", value: "CHUNK"),
        Option("--each", value: "COMMAND"),
        Option("--tag"),
        Option("--dry-run"),
        Option("-0"),
        Option("--join", value: "HOST:PORT"),
        Option("--results", value: "FILE", completion: .files([])),
        Option("--stage", value: "NAME"),
        Option("--sandbox"),
        Option("--check"),
        Option("--info"),
        Option("--help", "-h"),
        Option("--version"),
        Option("--new-key"),
        Option("--generate-completion-script", value: "SHELL", completion: .words(ShellCompletion.shells)),
    ]

    private let words: ParsedArguments
    /// The lists of examples that stand behind everything else, and their words.
    private let lists: [ExampleList]
    private let wordsOfLists: ArraySlice<SystemString>

    /// Takes apart the words of a command line.
    ///
    /// - Throws: `ArgumentError` where they are none, `UsageError` where lists of examples make no sense.
    init(_ arguments: [SystemString]) throws {
        let before: [SystemString]
        (before, lists) = try ExampleList.split(arguments)
        wordsOfLists = arguments[before.count...]
        words = try ParsedArguments(before, options: Self.own + JobOption.all.map(\.option))
    }

    private func has(_ name: String) -> Bool { words.value(name) != nil }

    /// What is to be printed, and nothing else to be done; nil where there is something to do.
    func text() throws -> String? {
        if has("--help") { return helpText }
        if has("--version") { return "dlp-lua \(Version.current)" }
        if has("--new-key") {
            guard words.given.count == 1, words.rest.isEmpty else {
                throw UsageError("--new-key prints a secret, and takes nothing else")
            }
            return newKey()
        }
        guard let shell = words.value("--generate-completion-script") else { return nil }
        let completion = ShellCompletion(
            program: "dlp-lua", options: Self.own + JobOption.all.map(\.option), first: .files(["lua"]))
        guard let script = completion.script(for: shell.description) else {
            throw UsageError("--generate-completion-script knows bash, zsh and fish, not '\(shell)'")
        }
        return script
    }

    /// How many ranks to start here, where that was asked for.
    var ranks: Int? {
        get throws { try words.value("-np").map { try rankCount($0) } }
    }

    /// On which hosts to start ranks, where that was asked for.
    var hosts: LaunchOptions.HostOptions? { get throws { try LaunchOptions.HostOptions(words) } }

    /// The words for each rank that is started.
    var wordsOfRanks: [SystemString] {
        words.without("-np", "--hosts", "--hostfile", "--remote-path", "--tunnel") + wordsOfLists
    }

    /// An option that stands where it is the script's, and may have been meant for dlp-lua.
    private var misplaced: SystemString? {
        words.firstOptionBehind(among: Self.own + JobOption.all.map(\.option))
    }

    /// What is to be done, without the number of ranks.
    func invocation() throws -> Invocation {
        var options = JobOptions()
        var names: [String] = []
        for option in JobOption.all {
            for given in words.given where given.option.name == option.option.name {
                try options.set(option.name, option.isSwitch ? "yes" : given.value)
                names.append(option.name)
            }
        }
        if has("-0") {
            guard options.format == nil else { throw UsageError("-0 is --format nul: leave one of them out") }
            try options.set("format", "nul")
            names.append("format")
        }
        options.isSandboxed = has("--sandbox")
        let task: Invocation.Task = has("--info") ? .info : has("--check") ? .check : .run
        var arguments = Array(words.rest)
        let source: Invocation.Source
        for option in ["--tag", "--dry-run"] where has(option) && !has("--each") {
            throw UsageError("\(option) is for a command that --each runs")
        }
        if has("--stage"), !has("--results") {
            throw UsageError("--stage names a stage of a journal that --results shows")
        }
        if let join = words.value("--join") {
            source = .running(try address(join, besides: names))
            if options.encrypt == .no {
                throw UsageError(
                    "what a process that joins says to the job is always encrypted: leave --encrypt no out")
            }
        } else if let results = words.value("--results") {
            guard !has("-e"), !has("--each"), arguments.isEmpty else {
                throw UsageError("--results shows a journal, without a script")
            }
            source = .journal(results, stage: words.value("--stage")?.description)
        } else if let command = words.value("--each") {
            try check(command)
            source = .command(command)
        } else if let chunk = words.value("-e") {
            source = .text(chunk)
        } else if let script = arguments.first {
            arguments.removeFirst()
            source = script == "-" ? .standardInput : .file(script)
            if source == .standardInput, lists.isEmpty,
                options.input == "-" || (options.input == nil && options.format != nil)
            {
                throw UsageError("the script and its examples cannot both be standard input: give one of them a file")
            }
        } else {
            guard case .info = task else { throw UsageError("no script was given") }
            source = .none
        }
        var invocation = Invocation(source: source, arguments: arguments, task: task, options: options)
        invocation.misplacedOption = misplaced
        if has("--each") { invocation.runCommands(hasTags: has("--tag"), isDry: has("--dry-run")) }
        try invocation.add(lists)
        return invocation
    }

    /// Sees that a command stands for itself, where it is to be run for each example.
    private func check(_ command: SystemString) throws(UsageError) {
        if let word = words.rest.first {
            throw UsageError(
                "--each takes the command as one word, with its own in quotes, as --each 'gzip -k {}' ::: *.txt: "
                    + "'\(word)' stands behind it")
        }
        if has("-e") { throw UsageError("--each is the work, and so is -e: leave one of them out") }
        if has("--sandbox") { throw UsageError("under --sandbox there are no programs, which --each is to run") }
        if command.bytes.allSatisfy({ $0 <= 0x20 }) {
            throw UsageError("--each wants a command, as in --each 'gzip -k {}'")
        }
    }

    /// The address of the job to join, where nothing else was asked for that concerns the job.
    private func address(_ join: SystemString, besides names: [String]) throws(UsageError) -> JobAddress {
        if has("-e") || has("--each") || !words.rest.isEmpty || has("--check") || has("--info") || has("--results") {
            throw UsageError("--join takes script and options from the job that it joins")
        }
        // These two concern its own connection.
        let given =
            names.filter { !["connect-timeout", "encrypt"].contains($0) } + (has("--sandbox") ? ["sandbox"] : [])
        if let other = given.first {
            throw UsageError("--join takes --\(other) from the job that it joins: leave it out")
        }
        guard let address = join.text.flatMap({ JobAddress($0) }), address.host != nil, address.port != 0 else {
            throw UsageError("--join must be HOST:PORT, as the job has said it, not '\(join)'")
        }
        return address
    }
}
