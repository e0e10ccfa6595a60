import DLP
import LuaHost
import Report

/// What the root does with results: it gives them to `collect` and `summarize`, writes them to a file, or prints them.
final class ResultSink {
    private let host: LuaHost
    private let plan: JobPlan
    private var kept: [ResultRun] = []
    private var ordered = OrderedResults()
    private let writes: Bool
    /// Keeps for `collect` the examples that the script itself has only once: those of an iterator, and lines.
    let store: ExampleStore?
    private let output: ResultOutput
    private var failures = FailureList()
    private let size: Int
    /// How an example is done alone.
    private let repetition: Repetition?
    /// The examples that alone are done; nil: all.
    private var selection: ExampleSelection?
    /// Whether no result has been anything but nil so far.
    private var isAllNil = true
    /// How many results have come, and how many examples have failed.
    private(set) var count = 0

    /// - Parameter size: how many ranks the job has.
    init(host: LuaHost, plan: JobPlan, size: Int, output: ResultOutput, repetition: Repetition?) {
        self.host = host
        self.size = size
        self.plan = plan
        store = plan.collects && plan.examples.count == nil ? ExampleStore() : nil
        self.output = output
        self.repetition = repetition
        writes = output.writer != nil
    }

    /// From now on results are those of these examples alone.
    func choose(_ selection: ExampleSelection) {
        self.selection = selection
        output.writer?.numbers = selection.numbers
    }

    /// Takes results as they come.
    func take(_ run: ResultRun) throws {
        count += run.count
        if isAllNil { isAllNil = run.results.withUnsafeBytes { $0.allSatisfy { $0 == Self.nilByte } } }
        for dense in selection?.dense(run) ?? [run] {
            if writes { try write(dense) }
            if plan.summarizes { kept.append(dense) }
        }
        guard plan.collects else { return }
        try collect(run, store?.take(run))
    }

    private func collect(_ run: ResultRun, _ sent: Bytes?) throws {
        do { try host.collect(run, of: plan.examples, sent: sent) } catch {
            throw PhaseError(phase: .collect, error: error.error, example: error.index + 1)
        }
    }

    /// Takes an example that has failed for good: it has no result, unless it is a command.
    func take(_ fault: Fault) throws {
        guard let example = fault.example else { return }
        count += 1
        var fault = fault
        let run = ResultRun(first: example - 1, count: 1, results: fault.result.take() ?? Self.null, rank: fault.rank)
        failures.add(fault)
        if writes { for dense in selection?.dense(run) ?? [run] { try write(dense) } }
        let sent = store?.take(run)
        if plan.settings.isCommand { try collect(run, sent) }
    }

    /// What stands in files where there is no result.
    private static let null = Bytes([nilByte])
    private static let nilByte: UInt8 = 0xf6

    private func write(_ run: ResultRun) throws {
        try ordered.add(run) { index, item in try output.writer?.append(index: index, item: item) }
    }

    /// Whether examples have failed for good.
    var hasFailures: Bool { failureCount > 0 }

    /// How many examples have failed for good.
    var failureCount: Int { failures.count }

    /// What is missing where not all examples have been done, as clauses for the user; nothing more is written.
    func takeStock() -> [String] {
        let summary = plan.summarizes ? ["summarize was not called"] : []
        guard writes else { return summary }
        guard let path = plan.settings.output else { return summary + ["not all results were printed"] }
        return summary + [output.abandon() ?? "\(path) was not written"]
    }

    /// Passes on what has been written so far.
    func flush() throws { try output.writer?.flush() }

    /// Says so where `work` has returned nothing although somebody waits for its results.
    private func complainOfNothing() {
        guard isAllNil, count > 0, !hasFailures else { return }
        let isWanted =
            writes || (plan.summarizes && host.takesArgument("summarize"))
            || (plan.collects && host.takesArgument("collect"))
        guard isWanted else { return }
        let examples = count == 1 ? "the only example" : "any of the \(count) examples"
        Diagnostics.write("work returned nothing for \(examples): what it returns is the result")
    }

    /// Completes what is written, and calls `summarize`.
    func finish() throws {
        // Where `summarize` stumbles over what is missing, that is the reason.
        defer {
            failures.report(
                of: count, size: size, scriptSees: plan.summarizes, haveResults: plan.settings.isCommand,
                repetition: repetition)
        }
        complainOfNothing()
        if let writer = output.writer.take() { try writer.finish(count: count) }
        guard plan.summarizes else { return }
        let runs = kept
        kept = []
        let errors = failures.ordered.map { fault in
            var fault = fault
            if let selection { fault.example = fault.example.map { selection.position(of: $0 - 1) + 1 } }
            return fault
        }
        do {
            try host.summarize(runs, count: count, errors: errors, numbers: selection?.numbers)
        } catch {
            throw PhaseError(phase: .summarize, error: error)
        }
    }
}

/// Where the root of a job writes its results, if anywhere.
final class ResultOutput {
    /// Nil once they are complete, or will not be.
    var writer: ResultWriter?

    init(_ writer: consuming ResultWriter?) { self.writer = writer }

    /// Leaves what has been written as it is, where the rest will not come.
    ///
    /// - Returns: where it is, as a clause for the user; nil where nothing is in a file.
    func abandon() -> String? {
        guard let writer = writer.take(), let partial = writer.abandon() else { return nil }
        return "what there is of the results is in \(partial)"
    }
}
