import Arguments
import DLP
import Launcher
import Runner

/// The command line of dlp-lua.
struct Command {
    private let words: ParsedArguments
    /// The options on the command line, except those of the job.
    private var options = GivenOptions()
    /// The example lists at the end of the command line, and their words.
    private let lists: [ExampleList]
    private let wordsOfLists: ArraySlice<SystemString>

    /// Parses the words of a command line.
    ///
    /// - Throws: `ArgumentError` for invalid words, `UsageError` for invalid lists of examples.
    init(_ arguments: [SystemString]) throws {
        let before: [SystemString]
        (before, lists) = try ExampleList.split(arguments)
        wordsOfLists = arguments[before.count...]
        words = try ParsedArguments(before, options: CommandOption.all.map(\.option))
        for (option, value) in given { try options.set(option, value) }
    }

    /// The given options, in their order.
    private var given: [(option: CommandOption, value: SystemString)] {
        words.given.map { (CommandOption.all[$0.index], $0.value) }
    }

    /// Returns a text to print, where nothing else is to be done; nil where there is more to do.
    func text() throws -> String? {
        if let text = try CommandOption.description.text(options.about) { return text }
        guard options.call.wantsKey else { return nil }
        guard words.given.count == 1, words.rest.isEmpty else {
            throw UsageError("--new-key prints a secret, and takes nothing else")
        }
        return newKey()
    }

    /// How many ranks to start, and on which hosts, as far as the user says so.
    var start: StartOptions { options.start }

    /// The words for each started rank.
    var wordsOfRanks: [SystemString] {
        words.without { if case .start = CommandOption.all[$0] { true } else { false } } + wordsOfLists
    }

    /// Whether to start ranks here; for a plan, `-np` only names their numbers.
    var startsRanks: Bool {
        options.call.plan == nil && options.call.watch == nil
            && (start.ranks != nil || start.hosts != nil || start.hostFile != nil)
    }

    /// What to do with the script.
    private var task: Invocation.Task {
        get throws {
            let call = options.call
            let isPreview = call.isDry && call.command == nil || call.why != nil
            guard isPreview else { return call.explains ? .info : call.checks ? .check : .run }
            let others = [call.results, call.plan, call.watch, call.join, call.command]
            guard !call.checks, !call.explains, others.allSatisfy({ $0 == nil }) else {
                throw UsageError(
                    "\(call.why == nil ? "--dry-run" : "--why") says what a script would do that goes on with a --journal, "
                        + "and nothing else")
            }
            return .preview(example: call.why)
        }
    }

    /// Returns what to do, apart from the number of ranks.
    func invocation() throws -> Invocation {
        let call = options.call
        var options = JobOptions()
        for (option, value) in given { if case .job(let option) = option { try options.set(option, value) } }
        if call.readsNUL {
            guard options.format == nil else { throw UsageError("-0 is --format nul: leave one of them out") }
            try options.set("format", "nul")
        }
        let task = try self.task
        var arguments = Array(words.rest)
        let source: Invocation.Source
        let ofCommands = [("--tag", call.hasTags), ("--outputs", call.outputs != nil)]
        if call.command == nil, let (option, _) = ofCommands.first(where: \.1) {
            throw UsageError("\(option) is for a command that --each runs")
        }
        if call.stage != nil, call.results == nil, call.plan == nil, call.watch == nil {
            throw UsageError("--stage names a stage of a journal that --results or --watch shows, or --plan goes by")
        }
        if let join = call.join {
            source = .running(try address(join))
            if options.encrypt == .no {
                throw UsageError(
                    "what a process that joins says to the job is always encrypted: leave --encrypt no out")
            }
        } else if let results = call.results, call.watch == nil {
            guard call.chunk == nil, call.command == nil, arguments.isEmpty else {
                throw UsageError("--results shows a journal, without a script")
            }
            try checkOthers(than: "--results", "--stage", "--output", "--with", does: "only shows what a journal holds")
            source = .journal(results, stage: call.stage?.description)
        } else if let plan = call.plan, call.watch == nil {
            guard call.chunk == nil, call.command == nil, arguments.isEmpty else {
                throw UsageError("--plan goes by the times in a journal, without a script")
            }
            if options.with != nil { throw UsageError("--with is for results, of which --plan has none") }
            try checkOthers(
                than: "--plan", "--stage", "--output", "--mode", "--chunk", "--root-works",
                does: "only goes by a journal's times")
            source = .plan(plan, stage: call.stage?.description, try start.plannedRanks())
        } else if let watch = call.watch {
            guard call.chunk == nil, call.command == nil, arguments.isEmpty else {
                throw UsageError("--watch follows a journal, without a script")
            }
            try checkOthers(than: "--watch", "--stage", startsRanks: false, does: "only looks")
            source = .watch(watch, stage: call.stage?.description)
        } else if let command = call.command {
            try check(command, isSandboxed: options.isSandboxed)
            if options.track == .yes {
                throw UsageError("--track is for the functions of a script, and --each runs a command: leave it out")
            }
            if call.isDry, options.failed == .yes {
                throw UsageError("--dry-run prints the commands of all examples: leave --failed out")
            }
            source = .command(command)
        } else if let chunk = call.chunk {
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
        // The word belongs to the script, but may have been meant for dlp-lua.
        invocation.misplacedOption = words.firstOptionBehind(among: CommandOption.all.map(\.option))
        if call.command != nil {
            invocation.runCommands(hasTags: call.hasTags, isDry: call.isDry, outputs: call.outputs)
        }
        try invocation.add(lists)
        return invocation
    }

    /// Checks that nothing else is asked for than what the option `names[0]` has a use for.
    private func checkOthers(
        than names: String..., startsRanks: Bool = true, does what: String
    ) throws(UsageError) {
        let other = given.first { given in
            if case .start = given.option, startsRanks { return false }
            return !names.contains(given.option.option.name)
        }
        if let other { throw UsageError("\(names[0]) \(what): leave \(other.option.option.name) out") }
    }

    /// Checks that a command to run for each example stands alone on the command line.
    private func check(_ command: SystemString, isSandboxed: Bool) throws(UsageError) {
        if let word = words.rest.first {
            throw UsageError(
                "--each takes the command as one word, with its own in quotes, as --each 'gzip -k {}' ::: *.txt: "
                    + "'\(word)' stands behind it")
        }
        if options.call.chunk != nil { throw UsageError("--each is the work, and so is -e: leave one of them out") }
        if isSandboxed { throw UsageError("under --sandbox there are no programs, which --each is to run") }
        if command.bytes.allSatisfy({ $0 <= 0x20 }) {
            throw UsageError("--each wants a command, as in --each 'gzip -k {}'")
        }
    }

    /// Returns the address of the job to join, where the command line asks for nothing else about the job.
    private func address(_ join: SystemString) throws(UsageError) -> JobAddress {
        let call = options.call
        let hasScript = call.chunk != nil || call.command != nil || !words.rest.isEmpty
        if hasScript || call.checks || call.explains || call.results != nil || call.watch != nil {
            throw UsageError("--join takes script and options from the job that it joins")
        }
        // These two options concern the connection itself.
        let names = given.compactMap { if case .job(let option) = $0.option { option.option.name } else { nil } }
        let concerned = names + (call.readsNUL ? ["-0"] : [])
        if let other = concerned.first(where: { !["--connect-timeout", "--encrypt"].contains($0) }) {
            throw UsageError("--join takes \(other) from the job that it joins: leave it out")
        }
        guard let address = join.text.flatMap({ JobAddress($0) }), address.host != nil, address.port != 0 else {
            throw UsageError("--join must be HOST:PORT, as the job has said it, not '\(join)'")
        }
        return address
    }
}
