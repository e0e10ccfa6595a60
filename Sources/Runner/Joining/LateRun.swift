import AME
import CSystem
import DLP
import Glibc
import LuaHost

/// A process that joins a running job: from the connection to its exit status.
///
/// What goes wrong here before it takes part is this process's own affair; the job does not notice.
final class LateRun {
    private let worker: AMEWorker
    let port: WorkerPort
    private let wish: LeaveWish
    /// Tells the watch over the connection that this process goes by itself.
    let departure: EventWaker
    /// Whether the root counts on this rank.
    var takesPart = false

    /// How long the root may take to end the job after this rank has, in nanoseconds.
    static let patience: UInt64 = 5_000_000_000

    /// This rank's place among those that were started with it on its host.
    private let place: HostPlace

    private init(_ worker: AMEWorker, at place: HostPlace) throws(CommunicationError) {
        self.worker = worker
        self.place = place
        port = WorkerPort(worker, isLate: true)
        wish = LeaveWish(worker.waker)
        departure = try EventWaker()
    }

    /// Joins the job at `address`.
    ///
    /// - Returns: the exit status: 0 where the job was over, or this process was told to leave; 1 where the script fails
    ///   here before it takes part; 2, 3 as for any other rank.
    static func run(_ address: JobAddress, _ options: JobOptions, secret: String?) -> Int32 {
        let place = HostPlace.launchedByAME(.own) ?? HostPlace(rank: 0, size: 1)
        // Several may have been started together; for a job each of them is one more rank.
        AMEEnvironment.removeFromEnvironment()
        Heritage.leave(Sighting.all(in: .own), isLaunched: true)
        do {
            let endpoint = AMEEnvironment.Endpoint.tcp(host: address.host ?? "localhost", port: address.port)
            let worker = try AMEWorker(
                joining: endpoint, key: try Joinable.key(secret),
                connectTimeout: UInt64((options.connectTimeout ?? 60) * 1e9))
            HostShare.limitThreads(place, isOurLauncher: true)
            if let gpus = options.gpus, let fault = HostShare.chooseDevice(gpus, place) { throw UsageError(fault) }
            return try LateRun(worker, at: place).run()
        } catch let error as UsageError {
            Complaint.write(error.message)
            return 2
        } catch {
            Complaint.write("\(error)")
            return 3
        }
    }

    private func run() -> Int32 {
        var host: LuaHost?
        do {
            try SignalWatch.start(letsFinish: true, holdsScript: false) { [wish] signals in
                while signals.next() != nil { wish.express() }
            }
            dlp_guard_exit()
            guard let encoded = try port.offer(while: { !wish.isThere }) else { return leave(status: 0) }
            guard let offer = JobOffer(encoded: encoded) else {
                throw UsageError("the job says what this program does not understand: join it with the same dlp-lua")
            }
            let settings = try offer.settings(size: port.size)
            let opened = try open(settings)
            host = opened
            try take(offer, settings, opened)
            // Nothing is left for this rank.
            opened.close()
            return leave(status: 0)
        } catch {
            return end(error, host)
        }
    }

    /// Makes the Lua state.
    private func open(_ settings: JobSettings) throws -> LuaHost {
        let host = try LuaHost(
            port: port, backend: "ame", version: Version.current, seed: settings.seed,
            localPlace: (place.rank, place.size), loopDefaults: settings.loopDefaults, isSandboxed: settings.isSandboxed
        )
        host.limitMemory(to: settings.memory)
        host.isLeaving = { [wish] in wish.isThere }
        host.willExit = { [unowned self, unowned host] status in willExit(status, example: host.exampleAtWork) }
        let interrupter = host.interrupter
        try worker.watchHangup { [departure] in
            // Lua ends at its next instruction; a C function may take longer than anyone waits for.
            Abandonment.begin(interrupter)
            if !departure.wait(nanoseconds: 2_000_000_000) { Abandonment.finish(status: 3) }
        }
        return host
    }

    /// Loads the script and works for the job, until that is over or this rank is to leave.
    private func take(_ offer: JobOffer, _ settings: JobSettings, _ host: LuaHost) throws {
        try host.run(offer.script)
        try host.limit(toSeconds: settings.timeout, on: port)
        let examples = try host.openJob(evaluate: settings.examples != .root, apart: true)
        let agreement = try agree(offer, examples, host, settings)
        let plan = JobPlan(
            settings: settings, examples: examples, agreement: agreement, collects: try host.isFunction("collect"),
            summarizes: try host.isFunction("summarize"))
        var setup = Setup(host)
        try setup.runOnce()
        guard !wish.isThere else { return }
        takesPart = true
        try port.enterLate(offer.loop, length: plan.announcedLength, options: plan.loopOptions)
        try work(LoopWork(port, host, plan, loop: offer.loop, setup: setup), loop: offer.loop)
    }

    /// What holds for the examples, where this rank has the same as the others or needs none.
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
            guard let event = try port.event(of: loop, while: { hasRetired || !wish.isThere }) else {
                try port.post(.retire(loop: loop))
                hasRetired = true
                continue
            }
            switch event {
            case .work(let chunk, let giveBackAfter, let sent):
                // The root takes back what was on its way.
                if hasRetired { continue }
                try work.work(on: chunk, giveBackAfter: giveBackAfter, sent: sent)
            case .deliver: try work.deliver()
            case .end, .halted: return
            // The root's own affairs.
            case .results, .failed, .hungry, .list, .returned: continue
            }
        }
    }
}
