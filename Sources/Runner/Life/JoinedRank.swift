import AME
import DLP
import Glibc
import LuaHost

/// A process that joins a running job: from the connection to its exit status.
///
/// An error before it takes part ends only this process. The job does not notice it.
final class JoinedRank {
    private let worker: AMEWorker
    private let client: WorkerClient
    private let wish: LeaveWish
    private let supervisor = Supervisor(.joined)
    /// This rank's place among those that were started with it on its host.
    private let place: HostPlace

    private init(_ worker: AMEWorker, at place: HostPlace) {
        self.worker = worker
        self.place = place
        client = WorkerClient(worker, isLate: true)
        wish = LeaveWish(worker.waker)
        let (wish, giveUp, size) = (wish, client.giveUp, client.size)
        supervisor.equip { means in
            means.leaveSoon = { wish.express() }
            (means.giveUp, means.size) = (giveUp, size)
        }
    }

    /// Joins the job at `address`.
    ///
    /// - Returns: the exit status: 0 where the job was over or this process was told to leave; 1 where the script
    ///   fails here before it takes part; 2 and 3 as for any other rank.
    static func run(_ address: JobAddress, _ options: JobOptions, secret: String?) -> Int32 {
        let place = HostPlace.launchedByAME(.own) ?? HostPlace(rank: 0, size: 1)
        // Several processes may have been started together. For the job, each of them is one more rank.
        AMEEnvironment.removeFromEnvironment()
        InheritedLaunch.leave(DetectedLauncher.all(in: .own), isLaunched: true)
        do {
            let endpoint = AMEEnvironment.Endpoint.tcp(host: address.host ?? "localhost", port: address.port)
            let worker = try AMEWorker(
                joining: endpoint, key: try Joinable.key(secret),
                connectTimeout: UInt64((options.connectTimeout ?? 60) * 1e9))
            HostShare.limitThreads(place, isOurLauncher: true)
            if let gpus = options.gpus, let fault = HostShare.chooseDevice(gpus, place) { throw UsageError(fault) }
            return JoinedRank(worker, at: place).run()
        } catch let error as UsageError {
            Diagnostics.write(error.message)
            return 2
        } catch {
            Diagnostics.write("\(error)")
            return 3
        }
    }

    private func run() -> Int32 {
        var host: LuaHost?
        do {
            try supervisor.begin()
            supervisor.handle(.connected(.joined, rank: client.rank))
            guard let encoded = try client.offer(while: { !wish.isThere }) else { return finish() }
            guard let offer = JobOffer(encoded: encoded) else {
                throw UsageError("the job says what this program does not understand: join it with the same dlp-lua")
            }
            let settings = try offer.settings(size: client.size)
            let opened = try open(settings)
            host = opened
            try take(offer, settings, opened)
            opened.close()
            return finish()
        } catch {
            return conclude(reason(of: error, host))
        }
    }

    // MARK: The end

    private func conclude(_ event: RankLife.Event) -> Int32 { supervisor.conclude(event, LastSteps(client: client)) }

    private func finish() -> Int32 { conclude(.finished(status: 0, isJob: true)) }

    /// Returns why this rank ends after `error`: because of its own error, or because the job has ended.
    private func reason(of error: any Error, _ host: LuaHost?) -> RankLife.Event {
        // An error that the script raises because the job is over does not count.
        if let end = host?.jobEnd { return .failed(end) }
        if host?.isInterrupted ?? false { return .interrupted }
        switch error {
        case let end as JobEnd: return .failed(end)
        case let error as WorkError: return .failed(.fault(fault(error)))
        case let error as PhaseError: return .refused(error.error.text, status: 1)
        case let error as ScriptError: return .refused(error.text, status: 1)
        case let error as UsageError: return .refused(error.message, status: 3)
        default: return .refused("\(error)", status: 3)
        }
    }

    /// Returns the fault that ends the job because an example failed here.
    private func fault(_ error: WorkError) -> Fault {
        var fault = Fault(
            phase: .work, message: error.error.message, traceback: error.error.traceback, example: error.index + 1,
            rank: client.rank, host: HostName.current)
        fault.given = error.given
        return fault
    }

    // MARK: The script

    /// Makes the Lua state.
    private func open(_ settings: JobSettings) throws -> LuaHost {
        let host = try LuaHost(
            client: client, backend: "ame", version: Version.current, seed: settings.seed,
            localPlace: (place.rank, place.size), loopDefaults: settings.loopDefaults, isSandboxed: settings.isSandboxed
        )
        host.limitMemory(to: settings.memory)
        if settings.showsMemory { host.measureMemory() }
        host.isLeaving = { [wish] in wish.isThere }
        supervisor.equip { $0.interrupter = host.interrupter }
        host.willExit = { [unowned self, unowned host] status in
            conclude(.exited(status: status, example: host.exampleAtWork, isJob: true))
        }
        try worker.watchHangup { [supervisor] in supervisor.handle(.lostRoot) }
        return host
    }

    /// Loads the script and works for the job, until the job is over or this rank is told to leave.
    private func take(_ offer: JobOffer, _ settings: JobSettings, _ host: LuaHost) throws {
        try host.run(offer.script)
        try host.limit(toSeconds: settings.timeout, on: client, supervisor)
        let examples = try host.openJob(evaluate: settings.examples != .root, apart: true)
        let agreement = try agree(offer, examples, host, settings)
        let plan = JobPlan(
            settings: settings, examples: examples, agreement: agreement, collects: try host.isFunction("collect"),
            summarizes: try host.isFunction("summarize"), hasCost: host.hasCost)
        if settings.tracks { _ = host.reachOfWork(tracks: true) }
        var setup = Setup(host)
        try setup.runOnce()
        guard !wish.isThere else { return }
        supervisor.handle(.takesPart)
        try client.enterLate(offer.loop, length: plan.announcedLength, options: plan.loopOptions)
        try work(LoopWork(client, host, plan, loop: offer.loop, setup: setup), loop: offer.loop)
    }

    /// Returns the agreement on the examples, where this rank makes the same examples as the others or needs none of
    /// its own.
    private func agree(
        _ offer: JobOffer, _ examples: Examples, _ host: LuaHost, _ settings: JobSettings
    ) throws -> Agreement {
        guard offer.source == .replicated else { return Agreement(source: .sent) }
        let finding = try Finding(examples, of: host)
        guard finding.encoded == offer.finding else {
            throw ScriptError(
                message: "examples() makes another list here than in the job, which has "
                    + "\(Finding.describe(offer.finding)): sort it, or start the job with --examples root")
        }
        return Agreement(source: .replicated, count: examples.count)
    }

    private func work(_ work: LoopWork, loop: UInt64) throws {
        var work = work
        var hasRetired = false
        while true {
            guard let event = try client.event(of: loop, while: { hasRetired || !wish.isThere }) else {
                try client.post(.retire(loop: loop))
                hasRetired = true
                continue
            }
            switch event {
            case .work(let chunk, let giveBackAfter, let sent):
                // The root takes back examples that were on their way to this rank.
                if hasRetired { continue }
                try work.work(on: chunk, giveBackAfter: giveBackAfter, sent: sent)
            case .deliver: try work.deliver()
            case .end, .halted: return
            // These events are for the root only.
            case .results, .failed, .needsExamples, .workedOff, .list, .returned: continue
            }
        }
    }
}

extension ScriptError {
    /// The text for the user.
    fileprivate var text: String { traceback.isEmpty ? message : "\(message)\n\(traceback)" }
}
