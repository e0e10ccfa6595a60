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
    private var output: ResultWriter?
    /// How many results have come.
    private(set) var count = 0

    init(host: LuaHost, plan: JobPlan, output: consuming ResultWriter?) {
        self.host = host
        self.plan = plan
        store = plan.collects && plan.examples.count == nil ? ExampleStore() : nil
        self.output = output
        writes = self.output != nil
    }

    /// Takes results as they come.
    func take(_ run: ResultRun) throws {
        count += run.count
        if writes { try ordered.add(run) { index, item in try output?.append(index: index, item: item) } }
        if plan.summarizes { kept.append(run) }
        guard plan.collects else { return }
        do { try host.collect(run, of: plan.examples, sent: store?.take(run)) } catch {
            throw PhaseError(phase: .collect, error: error.error, example: error.index + 1)
        }
    }

    /// Passes on what has been written so far.
    func flush() throws { try output?.flush() }

    /// Completes what is written, and calls `summarize`.
    func finish() throws {
        if let output = output.take() { try output.finish(count: count) }
        guard plan.summarizes else { return }
        let runs = kept
        kept = []
        do { try host.summarize(runs, count: count) } catch { throw PhaseError(phase: .summarize, error: error) }
    }
}
