import CSystem
import DLP
import Journal
import LuaHost
import Planning
import Report

/// A job on this rank: examples, agreement, distribution, and on the root the handling of the results.
struct JobRun {
    private let session: Session
    private let host: LuaHost
    private let script: Script
    private let settings: JobSettings
    private let statement: Statement
    private let task: Invocation.Task
    /// How to do an example alone.
    private let repetition: Repetition?

    init(
        _ session: Session, _ host: LuaHost, _ script: Script, _ settings: JobSettings, _ statement: Statement,
        _ task: Invocation.Task, _ repetition: Repetition?
    ) {
        self.session = session
        self.host = host
        self.script = script
        self.settings = settings
        self.statement = statement
        self.task = task
        self.repetition = repetition
    }

    func run() throws {
        // If a file cannot be written, the job should not begin.
        let summarizes = try scripted { () throws(ScriptError) in try host.isFunction("summarize") }
        let collects = try scripted { () throws(ScriptError) in try host.isFunction("collect") }
        let isWriting = session.isRoot && task == .run
        let seconds = isWriting ? try session.startDirectory.during { try earlierSeconds() } : nil
        let journalFile =
            isWriting ? try session.startDirectory.during { try session.openJournal(settings, script) } : nil
        let output = ResultOutput(
            isWriting
                ? try session.startDirectory.during { try resultWriter(scriptTakesThem: summarizes || collects) } : nil,
            isWriting && settings.with != nil ? ExampleNotes() : nil)
        session.output = output
        session.observer.note(conduct: Plan.Conduct(settings))
        let input = try session.startDirectory.during { try openInput() }
        let examples = try scripted(.examples) { () throws(ScriptError) in
            let isRootsOnly = settings.examples == .root
            return try host.openJob(evaluate: session.isRoot || !isRootsOnly, apart: isRootsOnly)
        }
        let reach = settings.journal == nil || settings.isCommand ? nil : host.reachOfWork(tracks: settings.tracks)
        if case .preview(let example) = task { return try preview(of: example, examples, reach) }
        var journal = try journalFile?.stage(nil, reach)
        journal?.notes = output.notes
        // Other ranks may have done some examples before this rank enters the loop.
        if let root = session.client.root, let notes = output.notes {
            session.observer.note(in: notes, of: root.loops + 1)
        }
        // Once the ranks agree, other ranks may get examples, however long this rank still takes.
        if let root = session.client.root, let seconds = settings.timeout {
            let allowsSetup = try scripted { () throws(ScriptError) in try host.isFunction("setup") }
            root.limitExamples(to: UInt64(seconds * 1e9), allowsSetup: allowsSetup)
        }
        let agreement = try scripted(.examples) { () throws(ScriptError) in
            try session.agree(on: examples, of: host, statement, wanted: settings.examples, reach) {
                // From here on other ranks may be at work.
                if task == .run { session.supervisor.loopBegins() }
            }
        }.get()
        if task == .check { return report(examples, agreement) }
        if let warning = agreement.warning { Diagnostics.write(warning) }
        let plan = JobPlan(
            settings: settings, examples: examples, agreement: agreement, collects: collects, summarizes: summarizes,
            hasCost: host.hasCost)
        do {
            let root: RootClient
            switch session.client.role {
            case .root(let client): root = client
            case .worker(let client):
                return try WorkerJob(supervisor: session.supervisor, client: client, host: host, plan: plan).run()
            }
            var repetition = examples.count == nil ? nil : repetition
            repetition?.count = examples.count
            if let repetition { session.observer.note(repetition: repetition) }
            let sink = ResultSink(
                host: host, plan: plan, size: session.client.size, output: output, repetition: repetition)
            let offer = session.isJoinable ? JobOffer(script, settings, agreement) : nil
            try RootJob(
                session: session, client: root, host: host, plan: plan, sink: sink, journal: journal, input: input,
                offer: offer, costs: knownCosts(plan, seconds)
            ).run()
        } catch let error as WorkError {
            throw PhaseError(phase: .work, error: error.error, example: error.index + 1, given: error.given)
        }
    }

    /// On the root: prints what the job would do.
    private func preview(of example: Int?, _ examples: Examples, _ reach: Reach?) throws {
        guard session.isRoot else { return }
        let preview = JobPreview(host: host, examples: examples, script: script, settings: settings, reach: reach)
        print(try session.startDirectory.during { try preview.line(about: example) })
    }

    /// Returns how long examples took in an earlier run, where that is of use.
    private func earlierSeconds() throws(UsageError) -> KnownSeconds? {
        if let path = settings.costs { return try KnownSeconds(fileOf: path) }
        return settings.journal.flatMap { KnownSeconds(of: $0) }
    }

    /// Returns the known costs of the examples, where the job can use them.
    private func knownCosts(_ plan: JobPlan, _ seconds: KnownSeconds?) -> KnownCosts? {
        guard plan.allowsOrder else {
            guard plan.wantsOrder else { return nil }
            let what = settings.costs == nil ? "cost()" : "--costs"
            Diagnostics.write(
                settings.mode == .roundRobin
                    ? "\(what) is of no use in mode round-robin, where each rank has its share from the start"
                    : "\(what) is of no use here: the examples are read as they come; let examples() return a table or a "
                        + "number")
            return nil
        }
        guard plan.hasCost || seconds != nil else { return nil }
        if let count = plan.examples.count, count > KnownCosts.longestList {
            if plan.wantsOrder {
                Diagnostics.write(
                    "no list of more than \(KnownCosts.longestList) examples is ordered by what they cost; this one has "
                        + "\(count), and they are begun in its order")
            }
            return nil
        }
        let root = session.client.root
        return KnownCosts(
            host: host, examples: plan.examples, hasFunction: plan.hasCost, seconds: seconds,
            observer: session.observer, isHalted: { root?.isHalted() ?? false })
    }

    private func scripted<Result>(
        _ phase: Fault.Phase = .load, _ body: () throws(ScriptError) -> Result
    ) throws -> Result {
        do { return try body() } catch { throw PhaseError(phase: phase, error: error) }
    }

    /// Returns the writer for results that the script does not take itself: to the named file, or to standard output.
    private func resultWriter(scriptTakesThem: Bool) throws -> ResultWriter? {
        let fields = settings.with ?? []
        if let path = settings.output {
            do {
                var writer = try ResultWriter(path: path)
                writer.fields = fields
                return writer
            } catch { throw UsageError(error.description) }
        }
        guard scriptTakesThem else {
            var writer = ResultWriter(descriptor: 1, name: "standard output", format: .jsonLines)
            writer.fields = fields
            return writer
        }
        guard fields.isEmpty else {
            throw UsageError(
                settings.isCommand
                    ? "--with says what stands beside results in a file, and there is none: add --output FILE, which has "
                        + "status, seconds, cpu and peak of each command by itself"
                    : "--with is for results that are written, which this script takes itself: add --output FILE")
        }
        return nil
    }

    /// On the root: opens the input that provides the examples where the script does not.
    ///
    /// - Throws: `UsageError` where both provide them.
    private func openInput() throws -> OpenInput? {
        let isScripts = try scripted { () throws(ScriptError) in try host.isFunction("examples") }
        if isScripts, settings.input != nil {
            throw UsageError(
                "--input, --format and -0 are for scripts without a function examples, which this one has: leave out one or "
                    + "the other")
        }
        guard session.isRoot, !isScripts else { return nil }
        let input = settings.input ?? ExampleInput()
        return OpenInput(input: input, descriptor: try input.open())
    }

    private func describe(_ input: ExampleInput) -> String { "one example for each \(input.records) of \(input.name)" }

    /// Prints the output of `--check`.
    private func report(_ examples: Examples, _ agreement: Agreement) {
        guard session.isRoot else { return }
        let number =
            switch examples {
            case .count(let count), .table(let count): "\(count) examples"
            case .iterator: "examples from an iterator, as many as it gives"
            case .input: describe(settings.input ?? ExampleInput())
            }
        let agreed =
            switch agreement.source {
            case .replicated where session.client.size > 1: "all \(session.client.size) ranks agree on them"
            case .replicated: "one rank"
            case .sent: "the root sends them with the work"
            }
        print("\(number); \(agreed)")
        if let warning = agreement.warning { Diagnostics.write(warning) }
    }
}
