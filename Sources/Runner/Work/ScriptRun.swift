import CLuaHost
import DLP
import LuaHost
import Report

/// One script on this rank, from its text to the exit status.
final class ScriptRun {
    private let session: Session
    private let invocation: Invocation
    private var options: JobOptions
    /// The options for which the user has been told that they have no effect.
    private var complained: Set<String> = []

    init(_ session: Session, _ invocation: Invocation) {
        self.session = session
        self.invocation = invocation
        options = invocation.options
    }

    func run() -> Int32 {
        do {
            try session.watchPeers()
            let (script, seed) = try StartAgreement(session: session, invocation: invocation).reach()
            let lists = try readLists()
            var settings = JobSettings(options, seed: seed, size: session.client.size)
            settings.journal = try JournalSettings(options)
            let host = try scripted(.load) { () throws(ScriptError) in
                try session.open(settings)
            }
            let loops = ScriptLoops(session, host, script, settings, isPreview: invocation.task.isPreview) {
                [unowned self, unowned host] in
                // A user who waits for a file, for example, should learn at the beginning that there will be none.
                if (try? host.isFunction("work")) == false {
                    complainOfOptions(invocation.options.names(heededBy: .jobs))
                }
            }
            host.loopDelegate = loops
            host.commandOptions = invocation.commandOptions
            let isRun = invocation.task.isRun
            if isRun, session.isRoot, let path = invocation.commandOptions.outputs {
                do { host.outputFolders = try OutputFolders(at: path) } catch { throw UsageError(error.message) }
            }
            if isRun { try openPictures(of: script, seed: seed) }
            try scripted(.load) { () throws(ScriptError) in try host.run(script) }
            let wanted = try scripted(.load) { () throws(ScriptError) in try host.scriptOptions() }
            do {
                try options.addScriptOptions(wanted)
                if options.encrypt == .yes { try Encryption.check(session.connection) }
            } catch {
                throw UsageError("\(script.name): dlp.options: \(error.message)")
            }
            let isJob = try scripted(.load) { () throws(ScriptError) in try host.isFunction("work") }
            if let lists { try define(lists, in: host, of: script, isJob: isJob) }
            let statement = isJob ? try self.statement(of: host) : nil
            if case .number(let number)? = options.seed { host.seed = number }
            if let statement, options.seed == .random, invocation.options.seed != .random {
                host.seed = try session.agree(on: options, statement)
            }
            settings = JobSettings(options, seed: host.seed, size: session.client.size)
            if isRun, isJob { try openPictures(of: script, seed: host.seed) }
            settings.isCommand = script.isCommand
            host.limitMemory(to: settings.memory)
            try host.limit(toSeconds: settings.timeout, on: session.client, session.supervisor)
            settings.journal = try JournalSettings(options)
            if settings.showsMemory { host.measureMemory() }
            settings.input = try ExampleInput(options)
            if options.joinable != nil { try Joinable.check(settings.mode) }
            // An imperative script may use these names, or similar ones, for its own functions.
            let slips = session.isRoot && !script.isCommand && (isJob || !host.usesModule) ? host.slips(in: script) : []
            for slip in slips { Diagnostics.write("\(script.name): \(slip)") }
            if statement == nil, invocation.task.isPreview { throw UsageError(ScriptLoops.noPreview) }
            guard let statement else { return finishImperative(script, host, loops, hasSlips: !slips.isEmpty) }
            session.isDeclarative = true
            let repetition = Repetition(invocation, seed: host.seed)
            try JobRun(session, host, script, settings, statement, invocation.task, repetition).run()
            return session.finish()
        } catch let error as PhaseError {
            return session.end(error.error, phase: error.phase, example: error.example, given: error.given)
        } catch let error as UsageError {
            // A refused job leaves no folders behind.
            session.host?.outputFolders?.removeIfUnused()
            return session.end(error)
        } catch let error as ReportError where error.example != nil {
            return session.end(ScriptError(message: error.description), phase: .work)
        } catch let end as JobEnd {
            return session.end(end)
        } catch {
            return session.end(UsageError("\(error)"))
        }
    }

    /// Returns the example lists of the command line, if any.
    ///
    /// Only the root needs their contents.
    private func readLists() throws(UsageError) -> [(words: [SystemString], isLinked: Bool)]? {
        guard !invocation.lists.isEmpty else { return nil }
        guard options.examples != .replicate else {
            throw UsageError("the root sends the examples behind ::: with the work: leave --examples replicate out")
        }
        guard session.isRoot else { return [] }
        var lists: [(words: [SystemString], isLinked: Bool)] = []
        for list in invocation.lists { lists.append((try list.read(as: invocation.listFormat), list.isLinked)) }
        return lists
    }

    /// Makes these lists the examples of the job, in place of an input that the script names.
    private func define(
        _ lists: [(words: [SystemString], isLinked: Bool)], in host: LuaHost, of script: Script, isJob: Bool
    ) throws {
        guard isJob else {
            throw UsageError("what stands behind ::: is for a function work, which \(script.name) does not have")
        }
        guard try scripted(.load, { () throws(ScriptError) in try !host.isFunction("examples") }) else {
            throw UsageError(
                "what stands behind ::: is for scripts without a function examples, which \(script.name) has: leave out one or "
                    + "the other")
        }
        try scripted(.load) { () throws(ScriptError) in try host.defineExamples(lists) }
        (options.examples, options.input, options.format) = (.root, nil, nil)
    }

    /// Returns the statement of what the script defines and all ranks must have in common for a job.
    ///
    /// What a rank sets up, and whether it has examples, concerns only that rank.
    private func statement(of host: LuaHost) throws -> Statement {
        var statement = Statement(entries: JobSettings.common(options, size: session.client.size))
        for name in ["collect", "summarize"] {
            let isThere = try scripted(.load) { () throws(ScriptError) in try host.isFunction(name) }
            if isThere { statement.entries.append(("function \(name)", "")) }
        }
        if host.hasCost { statement.entries.append(("function cost", "")) }
        return statement
    }

    /// Ends a script without a function `work`, which has finished by now.
    private func finishImperative(_ script: Script, _ host: LuaHost, _ loops: ScriptLoops, hasSlips: Bool) -> Int32 {
        session.refuseLateRanks()
        let complaint = session.isRoot && !hasSlips ? complaint(of: host) : nil
        if session.isRoot, case .check = invocation.task {
            print("\(script.name): no function work: an imperative script")
        }
        if loops.haveFailures { session.status = 4 }
        let status = session.finish()
        // If it fails because other ranks have a function `work`, only that matters to the user.
        if status == 0 || status == 4, session.isRoot {
            // Loops begin before the script's `dlp.options` are known.
            let kinds: [(kind: JobOption.Heed, isThere: Bool)] = [
                (.everyScript, true), (.loops, loops.haveBegun), (.maps, loops.haveMaps), (.stages, loops.haveStages),
            ]
            let names = { (options: JobOptions, isThere: Bool) in
                kinds.filter { $0.isThere == isThere }.flatMap { options.names(heededBy: $0.kind) }
            }
            complainOfOptions(options.names(heededBy: .jobs) + names(options, false))
            let early = names(invocation.options, true) + ["--encrypt"]
            complainOfLateOptions(names(options, true).filter { !early.contains($0) })
            if let complaint { Diagnostics.write(complaint) }
        }
        return status
    }

    /// Returns a warning about functions that are never called because the script has no function `work`.
    private func complaint(of host: LuaHost) -> String? {
        let functions = ["examples", "collect", "summarize"].filter { (try? host.isFunction($0)) == true }
        // An imperative script may use these names for its own functions.
        guard !functions.isEmpty, !host.usesModule else { return nil }
        return "the script has \(functions.joined(separator: " and ")), but no function work: nobody calls them"
    }

    /// Warns of options that an imperative script and its loops do not use; each option once.
    private func complainOfOptions(_ options: [String]) {
        let names = options.filter { complained.insert($0).inserted }
        guard let last = names.last else { return }
        let all = names.count == 1 ? "\(last) is" : names.dropLast().joined(separator: ", ") + " and \(last) are"
        // The script may have loops that lack only a name.
        let isOfStages = names == ["--journal"]
        Diagnostics.write(
            isOfStages
                ? "--journal keeps nothing of a script without a function work, unless it stands on the command line and loops "
                    + "have a name: {stage = \"name\"} among the options of dlp.map"
                : "\(all) of no use to a script without a function work")
    }

    /// Warns of options that only the script's `dlp.options` set: they are read after the script has run, when nothing is
    /// left for them to affect.
    private func complainOfLateOptions(_ names: [String]) {
        guard let last = names.last else { return }
        let all = names.count == 1 ? "\(last) comes" : names.dropLast().joined(separator: ", ") + " and \(last) come"
        Diagnostics.write(
            "\(all) too late in the dlp.options of a script without a function work, which has run by then: the command line "
                + "is the place for \(names.count == 1 ? "it" : "them")")
    }

    /// Begins the files that show which rank did what: timelines and page.
    private func openPictures(of script: Script, seed: Int64) throws(UsageError) {
        guard session.isRoot else { return }
        var text: SystemString?
        if case .file(let path) = invocation.source { text = path }
        let lists: [(use: String, path: SystemString?)] = invocation.lists.compactMap {
            if case .lines(let path) = $0.content { (":::: \(path)", path) } else { nil }
        }
        let timelines = options.timelines.map { ("--timeline", Optional($0)) }
        try session.startDirectory.during { () throws(UsageError) in
            // A journal may provide the costs of its own examples.
            try FileClash.check(
                [("--costs", options.costs), ("--output", options.output), ("--report", options.report)] + timelines)
            try FileClash.check(
                [
                    ("the script", text), ("--input", options.input), ("--journal", options.journal),
                    ("--output", options.output), ("--report", options.report),
                ] + timelines)
            // One file may be several lists.
            for list in lists {
                try FileClash.check(
                    [list, ("--journal", options.journal), ("--output", options.output), ("--report", options.report)]
                        + timelines)
            }
            try session.openTimelines(options.timelines, title: script.name.description)
            try session.openPage(options.report, of: script, seed: seed)
        }
    }

    private func scripted<Result>(
        _ phase: Fault.Phase, _ body: () throws(ScriptError) -> Result
    ) throws -> Result {
        do { return try body() } catch { throw PhaseError(phase: phase, error: error) }
    }
}
