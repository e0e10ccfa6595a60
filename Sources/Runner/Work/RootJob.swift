import DLP
import Journal
import LuaHost
import Report

/// The root's part in a job: it works as the other ranks do, feeds examples to them where only it has them, and takes
/// the results.
struct RootJob {
    let session: Session
    let client: RootClient
    let host: LuaHost
    let plan: JobPlan
    let sink: ResultSink
    let journal: StageJournal?
    /// The input that provides the examples, where the script does not.
    let input: OpenInput?
    /// The offer to ranks that join later, where they may.
    let offer: JobOffer?
    /// The known costs of the examples; nil: examples are begun in the order of the list.
    let costs: KnownCosts?

    /// How many examples are looked up in the journal at a time; after each batch the other ranks get what is to be
    /// done.
    private static let batch = 4096

    /// - Throws: errors of the script, and `JobEnd`.
    func run() throws {
        // In mode `round-robin` ranks report only at the end, unless reports are wanted.
        if plan.settings.mode == .roundRobin, !plan.loopOptions.sharesInChunks {
            session.observer.count(host.workCounter)
        } else {
            session.showProgress(plan.settings.progress)
        }
        if let seconds = plan.settings.stopAfter { client.halt(session.beginning + UInt64(seconds * 1e9)) }
        let choice = try choose()
        if let choice {
            sink.choose(choice.all)
            session.observer.leaveOutSkipped()
        }
        let length = try runLoop(choice)
        session.observer.page?.nameInputs { host.shownExample(plan.examples, $0 - 1) ?? "" }
        let total = choice?.all.count ?? length
        let signal = session.supervisor.loopEnds()
        // From here on the results are safe, whatever the script does with them.
        if let failure = session.observer.closeJournal() { throw failure }
        guard sink.isStopped || sink.count == total else {
            guard client.isHalted() else {
                throw PhaseError(
                    phase: .communication,
                    error: ScriptError(
                        message:
                            "of \(total ?? 0) examples \(sink.count) were accounted for; please report this mistake"
                    ))
            }
            try sink.flush()
            session.observer.note(
                IncompleteReport(
                    done: sink.count, failures: sink.failureCount, total: total, consequences: sink.takeStock()),
                signal: signal)
            session.supervisor.handle(.halted)
            session.status = signal.map { 128 + $0 } ?? 5
            return
        }
        try sink.finish()
        session.observer.jobIsComplete(hadEnough: sink.isStopped)
        if sink.hasFailures { session.status = 4 }
    }

    /// - Returns: the number of examples, where it is known at the end.
    private func runLoop(_ choice: ChosenExamples?) throws -> Int? {
        if plan.returnLimit != nil { client.allowReturns() }
        if let journal { session.observer.note(in: journal, of: client.loops + 1) }
        let loop = try client.enterLoop(
            length: plan.announcedLength, options: plan.loopOptions, working: plan.settings.rootWorks)
        if var offer {
            offer.loop = loop
            client.admitLateRanks(try offer.encoded())
        }
        // Where examples are chosen, the journal has been searched already.
        let feed = ExampleFeed(client.feed(for: loop), sink.store, choice == nil ? journal : nil, plan.growth)
        if plan.growth.mayGrow { sink.grow = { try feed.grow($0) } }
        if let choice, !choice.done.isEmpty, let journal { try sink.take(StoredRuns(choice.done, of: journal)) }
        var feeder = sink.isStopped ? nil : try beginFeeding(feed, choice?.undone)
        var work = LoopWork(client, host, plan, loop: loop)
        while !sink.isStopped {
            if let end = sink.takeLimit() { client.allow(below: end, in: loop) }
            switch try nextEvent(loop) {
            case .results(let run):
                journal?.writer.waitForRoom()
                try sink.take(run)
            case .failed(let fault): try sink.take(fault)
            case .needsExamples(let demand): try feeder?.feed(demand, collected: sink.passedCount)
            // If the numbers differ, examples have been added since.
            case .workedOff(let added): if added == feed.addedCount { feed.finish() }
            case .work(let chunk, let giveBackAfter, let sent):
                try work.work(on: chunk, giveBackAfter: giveBackAfter, sent: sent)
            case .deliver: try work.deliver()
            case .list, .returned: continue
            // This event comes after all results.
            case .end(let length), .halted(let length):
                client.refuseLateRanks("all examples of the job are done")
                feed.halt()
                // Examples that were added by the last results came too late if nothing more was to be begun.
                return length.map { max($0, feed.length(of: plan.examples.count) ?? 0) }
            }
        }
        feed.halt()
        client.abandon(loop)
        client.refuseLateRanks("its script has what it wants")
        return nil
    }

    /// Begins to tell the loop what only the root knows: the examples, or which of them are done.
    ///
    /// - Returns: the feeder to ask whenever the loop needs examples; nil where none is needed.
    private func beginFeeding(_ feed: ExampleFeed, _ selection: ExampleSelection?) throws -> Feeder? {
        guard plan.isSent else {
            if let selection {
                try feedIndices(feed, selection)
            } else if let journal {
                try feedIndices(feed, journal)
            } else if let costs, let count = plan.examples.count {
                feed.order(by: try costs.costs(of: [0..<count]))
                feed.add(count: count)
                try feed.close()
            } else if plan.growth.mayGrow {
                // All ranks have announced the list's length.
                try feed.close()
            }
            return nil
        }
        guard let input else { return Feeder(feed, host, plan.examples, selection, costs) }
        try input.feed(feed, end: client.endJob)
        return nil
    }

    /// Tells the loop which examples, all of which every rank has, are to be done, and takes the results of the
    /// others.
    private func feedIndices(_ feed: ExampleFeed, _ journal: StageJournal) throws {
        var runs: [StageJournal.Run] = []
        try lookUp(in: journal) { run in
            runs.append(run)
            if plan.window == nil, costs == nil { feed.tell(run) }
        }
        if plan.window == nil {
            if costs != nil { try tell(runs, to: feed) }
            try feed.close()
        }
        try sink.take(StoredRuns(runs, of: journal))
        guard plan.window != nil, !sink.isStopped else { return }
        // Only now, because the script may be content with the stored results.
        try tell(runs, to: feed)
        try feed.close()
    }

    private func tell(_ runs: [StageJournal.Run], to feed: ExampleFeed) throws {
        if let costs {
            let undone = runs.lazy.filter { !$0.isDone }.map { $0.first..<$0.first + $0.count }
            feed.order(by: try costs.costs(of: Array(undone)))
        }
        for run in runs { feed.tell(run) }
    }

    /// Tells the loop which examples, all of which every rank has, are chosen.
    private func feedIndices(_ feed: ExampleFeed, _ selection: ExampleSelection) throws {
        let length = plan.examples.count ?? 0
        if let costs { feed.order(by: try costs.costs(of: selection.ranges)) }
        var index = 0
        while index < length {
            let run = selection.run(at: index, of: length)
            if run.isChosen { feed.add(count: run.count) } else { feed.skip(run.count) }
            index += run.count
        }
        try feed.close()
    }

    /// Looks up all examples of a list of known length in the journal, run by run.
    private func lookUp(in journal: StageJournal, _ body: (StageJournal.Run) -> Void) throws {
        let count = plan.examples.count ?? 0
        for first in stride(from: 0, to: count, by: Self.batch) {
            let examples = try (first..<min(first + Self.batch, count)).map { index in
                do throws(ScriptError) {
                    return try host.encodedExample(plan.examples, index, for: .journal)
                } catch { throw PhaseError(phase: .examples, error: error) }
            }
            for run in try journal.add(examples) { body(run) }
        }
    }

    /// Returns the only examples to do; nil: all.
    ///
    /// - Throws: `UsageError` where the list does not have them, or where its length is not known.
    private func choose() throws -> ChosenExamples? {
        guard let option = try plan.settings.choice() else { return nil }
        guard let length = plan.examples.count else {
            throw UsageError(
                "\(option) chooses from a list of known length, and these examples are read as they come: let examples() "
                    + "return a table or a number")
        }
        if let only = plan.settings.only { return ChosenExamples(try ExampleSelection(only, of: length)) }
        let sample = plan.settings.sample.map {
            ExampleSelection(sample: $0.size(of: length), of: length, seed: plan.settings.seed)
        }
        guard let journal else { return sample.map { ChosenExamples($0) } }
        var runs: [StageJournal.Run] = []
        try lookUp(in: journal) { runs.append($0) }
        journal.ledger.complete()
        if let sample { return ChosenExamples(sample, runs) }
        return ChosenExamples(ExampleSelection(indices: (0..<length).filter { journal.ledger.hasFailed($0) }))
    }

    /// Returns the loop's next event; before it waits, shows what has been written so far.
    private func nextEvent(_ loop: UInt64) throws -> LoopEvent {
        if let event = try client.eventIfAny(of: loop) { return event }
        try sink.flush()
        return try client.event(of: loop)
    }
}
