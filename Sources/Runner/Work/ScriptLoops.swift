import DLP
import Journal
import LuaHost
import Report

/// Applies the options of the command line to a script's own loops: limits, journal, progress, and an end in good
/// order.
final class ScriptLoops: LoopDelegate {
    private let session: Session
    private let script: Script
    private let settings: JobSettings
    /// Whether the user only asks what would be done.
    private let isPreview: Bool
    /// Called on rank 0 when a loop begins.
    private let loopBegins: () -> Void
    private weak var host: LuaHost?
    /// The present time limit for elements on this rank, in seconds; and by which the root finds ranks that are late.
    private var timeout: Double?
    private var rootsTimeout: Double?
    private var hasMoment = false
    /// The loops under way: what has failed in each; and whether anything has failed in any loop.
    private var failures: [UInt64: FailureList] = [:]
    private var underWay: [UInt64: ModuleLoop] = [:]
    private(set) var haveFailures = false
    /// Whether any loop has begun; one whose results come to the root; one that has a name.
    private(set) var haveBegun = false
    private(set) var haveMaps = false
    private(set) var haveStages = false

    /// - Parameter settings: those of the command line.
    init(
        _ session: Session, _ host: LuaHost, _ script: Script, _ settings: JobSettings, isPreview: Bool,
        loopBegins: @escaping () -> Void
    ) {
        self.session = session
        self.host = host
        self.script = script
        self.settings = settings
        self.isPreview = isPreview
        self.loopBegins = loopBegins
    }

    /// The message why what loops would do cannot be known beforehand.
    static let noPreview =
        "--dry-run and --why are for a function work: what the loops of a script will do nobody knows before they come"

    func loopWillBegin(_ loop: ModuleLoop) throws {
        guard !isPreview else {
            throw UsageError(Self.noPreview)
        }
        haveBegun = true
        if loop.hasResults { haveMaps = true }
        if loop.stage != nil { haveStages = true }
        let root = session.client.root
        if session.isRoot { loopBegins() }
        session.showProgress(loop.showsProgress ? settings.progress : .off, prefix: loop.prefix)
        underWay[loop.operation] = loop
        // In the body of a loop without reports before the end of a chunk, a rank may take any time; and ranks that take
        // turns between loops are not late by the limit of one of them.
        let isTheirs = underWay.values.allSatisfy { $0.hasResults && $0.timeout == loop.timeout }
        let limit = isTheirs ? loop.timeout : nil
        // Also where the loop before had one and this one has none.
        if let root, limit != nil || rootsTimeout != nil {
            rootsTimeout = limit
            root.limitExamples(to: limit.map { UInt64($0 * 1e9) }, allowsSetup: false)
        }
        if let root, let seconds = settings.stopAfter, !hasMoment {
            hasMoment = true
            root.halt(session.beginning + UInt64(seconds * 1e9))
        }
        // The work of other loops is in the script's variables, so a signal need not wait for it.
        if loop.hasResults { session.supervisor.loopBegins() }
    }

    func chunkWillGoOn(_ loop: ModuleLoop) throws {
        guard loop.timeout != timeout else { return }
        timeout = loop.timeout
        try host?.limit(toSeconds: timeout, on: session.client, session.supervisor)
    }

    func results(of loop: ModuleLoop, reach: () -> Reach) throws -> (any StageResults)? {
        guard let root = session.client.root, let name = loop.stage,
            let journal = try session.startDirectory.during({ () throws(UsageError) in
                try session.openJournal(settings, script)
            })
        else { return nil }
        let stage = try journal.stage(name, reach())
        session.observer.note(in: stage, of: loop.operation)
        return JournaledStage(stage, root, loop.operation)
    }

    func resultsWillCome() { session.observer.waitForRoom() }

    func elementFailed(_ fault: Fault, in loop: ModuleLoop) {
        failures[loop.operation, default: FailureList(keepsAll: false)].add(fault)
    }

    func loopWasCutShort(_ loop: ModuleLoop) -> JobEnd {
        let signal = session.supervisor.loopEnds()
        let progress = session.observer.progress
        var report = IncompleteReport(
            done: progress?.done ?? 0, failures: progress?.failures ?? 0, total: loop.length ?? progress?.total)
        report.examples = loop.elements
        report.consequences = ["the script ends here"]
        if loop.stage == nil {
            report.remedy = "their results are lost; a loop with {stage = \"name\"} and a --journal would go on"
        }
        session.observer.note(report, signal: signal)
        session.supervisor.handle(.halted)
        return .stopped(status: signal.map { 128 + $0 } ?? 5)
    }

    func loopDidEnd(_ loop: ModuleLoop) {
        underWay[loop.operation] = nil
        if loop.hasResults { _ = session.supervisor.loopEnds() }
        guard session.isRoot else { return }
        session.observer.loopEnded(loop.operation)
        session.observer.finishDisplay()
        guard let failures = failures.removeValue(forKey: loop.operation) else { return }
        haveFailures = true
        failures.report(
            of: loop.length ?? session.observer.progress?.total, size: session.client.size, loop: loop)
    }
}

/// A stage of a script whose results are in the journal, or are added to it.
private final class JournaledStage: StageResults {
    private let journal: StageJournal
    private let root: RootClient
    private let operation: UInt64
    private var waiting: [Bytes] = []
    private var runs: [StageJournal.Run] = []
    private var stored: StoredRuns?

    /// How many elements are looked up at a time.
    private static let batch = 4096

    init(_ journal: StageJournal, _ root: RootClient, _ operation: UInt64) {
        self.journal = journal
        self.root = root
        self.operation = operation
    }

    func add(_ element: Bytes) throws {
        waiting.append(element)
        if waiting.count == Self.batch { try look() }
    }

    private func look() throws {
        runs += try journal.add(waiting)
        waiting = []
    }

    func complete() throws {
        try look()
        journal.ledger.complete()
        let done = runs.filter { $0.isDone }.map { $0.first..<$0.first + $0.count }
        if !done.isEmpty { root.skip(done, in: operation) }
        stored = StoredRuns(runs, of: journal)
        runs = []
    }

    func next() throws -> ResultRun? { try stored?.next() }
}
