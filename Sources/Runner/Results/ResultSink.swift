import DLP
import LuaHost
import Report

/// The root's handling of results: it gives them to `collect` and `summarize`, writes them to a file, or prints them.
final class ResultSink {
    private let host: LuaHost
    private let plan: JobPlan
    /// The results for `summarize`.
    private var kept: [ResultRun] = []
    /// Brings the results to be written into the order of the examples.
    private var lines = OrderedResults()
    private var writtenCount = 0
    private let writes: Bool
    /// Brings results into the order of the examples before they are used, where that is wanted.
    private var turns: ResultTurns?
    /// Keeps for `collect` the examples that the script cannot produce again: those of an iterator, lines, and added
    /// ones.
    let store: ExampleStore?
    private let output: ResultOutput
    private var failures: FailureList
    private let size: Int
    /// How to do an example alone.
    private let repetition: Repetition?
    /// The only examples that are done; nil: all.
    private var selection: ExampleSelection?
    /// Whether all results so far were nil.
    private var isAllNil = true
    /// How many examples have a result or have failed.
    private(set) var count = 0
    /// How many of them have been passed on.
    private(set) var passedCount = 0
    /// Whether the script wants no more results.
    private(set) var isStopped = false

    /// - Parameter size: how many ranks the job has.
    init(host: LuaHost, plan: JobPlan, size: Int, output: ResultOutput, repetition: Repetition?) {
        self.host = host
        self.size = size
        self.plan = plan
        store = plan.collects ? ExampleStore(behind: plan.examples.count ?? 0) : nil
        self.output = output
        self.repetition = repetition
        failures = FailureList(keepsAll: plan.summarizes)
        writes = output.writer != nil
        turns = plan.window.map { ResultTurns(window: $0, ranks: size) }
    }

    /// Called with examples that the script adds to the list.
    var grow: ([Bytes]) throws -> Void = { _ in }

    /// Restricts the results to these examples from now on.
    func choose(_ selection: ExampleSelection) {
        self.selection = selection
        output.writer?.numbers = selection.numbers
        lines = OrderedResults(selection)
        turns?.choose(selection)
    }

    /// Takes results as they arrive.
    func take(_ run: ResultRun) throws {
        count += run.count
        guard turns != nil else { return try pass(run) }
        turns?.add(run)
        try passInTurn()
    }

    /// Takes an example that has failed for good.
    func take(_ fault: Fault) throws {
        guard let example = fault.example else { return }
        count += 1
        guard turns != nil else { return try pass(fault, example - 1) }
        turns?.add(fault, example - 1)
        try passInTurn()
    }

    /// Takes results that an earlier run has made.
    func take(_ stored: StoredRuns) throws {
        var stored = stored
        guard turns != nil else {
            while !isStopped, let run = try stored.next() { try take(run) }
            return
        }
        count += stored.count
        turns?.stored = stored
        try passInTurn()
    }

    /// Returns the index before which all examples may now be handed out, where it has changed.
    func takeLimit() -> Int? { turns?.takeLimit() }

    private func passInTurn() throws {
        while !isStopped, let turn = try turns?.next() {
            switch turn {
            case .results(let run): try pass(run)
            case .failure(let fault, let index): try pass(fault, index)
            }
        }
    }

    private func pass(_ run: ResultRun) throws {
        guard !isStopped else { return }
        guard plan.collects else { return try keep(run) }
        let collected: Int
        do { collected = try collect(run, store?.take(run)) } catch {
            try keep(run)
            throw error
        }
        try keep(collected == run.count ? run : run.prefix(collected))
    }

    /// Processes results apart from `collect`.
    private func keep(_ run: ResultRun) throws {
        passedCount += run.count
        if isAllNil { isAllNil = run.results.withUnsafeBytes { $0.allSatisfy { $0 == Self.nilByte } } }
        if writes { try write(run) }
        if plan.summarizes { kept.append(run) }
    }

    /// - Returns: how many of the results the script has collected before it wanted no more.
    private func collect(_ run: ResultRun, _ sent: Bytes?) throws -> Int {
        let collected: Int
        do {
            collected = try host.collect(run, of: plan.examples, sent: sent)
            isStopped = host.wantsNoMore
        } catch {
            throw PhaseError(phase: .collect, error: error.error, example: error.index + 1)
        }
        let additions = host.takeAdditions()
        if !additions.isEmpty, !isStopped { try grow(additions) }
        return collected
    }

    /// Passes on a failed example.
    ///
    /// It has no result, unless it is a command.
    private func pass(_ fault: Fault, _ index: Int) throws {
        guard !isStopped else { return }
        // Where failures wait for their turn, the job ends only now.
        if turns != nil, !plan.settings.failures.continues { throw JobEnd.fault(fault) }
        passedCount += 1
        var fault = fault
        let result = fault.result.take()
        let run = ResultRun(first: index, count: 1, results: result ?? Self.null, rank: fault.rank)
        failures.add(fault, hasResult: result != nil)
        if writes { try write(run) }
        let sent = store?.take(run)
        if plan.settings.isCommand { _ = try collect(run, sent) }
    }

    /// The value written to files where there is no result.
    private static let null = Bytes([nilByte])
    private static let nilByte: UInt8 = 0xf6

    private func write(_ run: ResultRun) throws {
        lines.add(run)
        while let next = try lines.popNext() { try append(next) }
    }

    private func append(_ run: ResultRun) throws {
        try run.results.withUnsafeBytes { buffer in
            var reader = CBORReader(buffer)
            for index in run.indices {
                let start = reader.position
                try reader.skip()
                let item = UnsafeRawBufferPointer(rebasing: buffer[start..<reader.position])
                writtenCount += 1
                let facts = output.notes?.take(index) ?? ExampleFacts()
                try output.writer?.append(index: writtenCount - 1, item: item, facts)
            }
        }
    }

    /// Whether examples have failed for good.
    var hasFailures: Bool { failureCount > 0 }

    /// How many examples have failed for good.
    var failureCount: Int { failures.count }

    /// Returns what is missing where not all examples have been done, as clauses for the user; nothing more is
    /// written.
    func takeStock() -> [String] {
        let summary = plan.summarizes ? ["summarize was not called"] : []
        guard writes else { return summary }
        guard let path = plan.settings.output else { return summary + ["not all results were printed"] }
        return summary + [output.abandon() ?? "\(path) was not written"]
    }

    /// Passes on what has been written so far.
    func flush() throws { try output.writer?.flush() }

    /// Warns where `work` has returned only nil although its results are wanted.
    private func complainOfNothing() {
        guard isAllNil, passedCount > 0, !hasFailures else { return }
        let isWanted =
            writes || (plan.summarizes && host.takesArgument("summarize"))
            || (plan.collects && host.takesArgument("collect"))
        guard isWanted else { return }
        let examples = passedCount == 1 ? "the only example" : "any of the \(passedCount) examples"
        Diagnostics.write("work returned nothing for \(examples): what it returns is the result")
    }

    /// Completes the output and calls `summarize`.
    func finish() throws {
        // If `summarize` fails because of missing results, this report shows the reason.
        defer {
            failures.report(
                of: passedCount, size: size, scriptSees: plan.summarizes, isOfCommand: plan.settings.isCommand,
                repetition: repetition)
        }
        complainOfNothing()
        if isStopped { try settle() }
        if let writer = output.writer.take() { try writer.finish(count: passedCount) }
        guard plan.summarizes else { return }
        var runs = kept
        kept = []
        if let selection { runs = runs.flatMap { selection.dense($0) } }
        let errors = failures.ordered.map { fault in
            var fault = fault
            if let selection { fault.example = fault.example.map { selection.position(of: $0 - 1) + 1 } }
            return fault
        }
        do {
            try host.summarize(runs, count: passedCount, errors: errors, numbers: selection?.numbers)
        } catch {
            throw PhaseError(phase: .summarize, error: error)
        }
    }

    /// Settles for the results that there are, as if the list held only their examples.
    private func settle() throws {
        var indices = kept.flatMap { $0.indices } + failures.ordered.compactMap { $0.example.map { $0 - 1 } }
        if writes {
            var written = (0..<writtenCount).map { selection?.index(at: $0) ?? $0 }
            while !lines.isEmpty {
                lines.passGap()
                guard let run = try lines.popNext() else { break }
                written += run.indices
                try append(run)
            }
            indices = written
        } else if !plan.summarizes {
            return
        }
        indices.sort()
        let isWhole = selection == nil && indices.last ?? -1 == indices.count - 1
        selection = isWhole ? nil : ExampleSelection(indices: indices)
        output.writer?.numbers = selection?.numbers
    }
}

extension ResultRun {
    /// The indices of the examples, from 0.
    fileprivate var indices: StrideTo<Int> { Swift.stride(from: first, to: first + count * stride, by: stride) }

    /// The first `count` of the results.
    fileprivate func prefix(_ count: Int) throws(CodecError) -> ResultRun {
        let end = try results.end(of: count)
        return ResultRun(first: first, count: count, stride: stride, results: results[0..<end], rank: rank)
    }
}

/// The place where the root of a job writes its results, if any.
final class ResultOutput {
    /// Nil once the output is complete or has been given up.
    var writer: ResultWriter?
    /// The costs of examples, where they are written beside the results.
    let notes: ExampleNotes?

    init(_ writer: consuming ResultWriter?, _ notes: ExampleNotes?) {
        self.writer = writer
        self.notes = notes
    }

    /// Keeps what has been written so far, because the rest will not come.
    ///
    /// - Returns: where it is, as a clause for the user; nil where no file holds any results.
    func abandon() -> String? {
        guard let writer = writer.take(), let partial = writer.abandon() else { return nil }
        return "what there is of the results is in \(partial)"
    }
}
