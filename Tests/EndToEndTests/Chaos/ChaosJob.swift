import FaultRelay
import Glibc
import TestSupport
import Testing

/// A running chaos job: its ranks, its relays, and the faults that are injected.
final class ChaosJob {
    let plan: ChaosPlan
    let scratch: Scratch
    private let launched: Launched
    /// By rank, from 1; empty where ranks are connected directly.
    private var relays: [Relay] = []
    private let began = ChaosJob.milliseconds
    /// The faults that were injected while their victim was still there.
    private(set) var injected: [Injection] = []
    private let files: String

    /// A fault that has struck.
    struct Injection: CustomStringConvertible {
        var fault: ChaosFault
        /// How many examples had begun before, and by the time that it had struck.
        var begun: Int
        var begunAfter: Int?
        /// Whether its victim listened to the signal.
        var isHeard = true
        /// Which call has failed.
        var call = ""

        var description: String {
            "\(fault) (\(begun) begun, then \(begunAfter ?? begun)\(isHeard ? "" : ", not heard")) \(call)"
        }
    }

    /// Starts the job in a directory that has its script.
    ///
    /// - Parameter files: The first part of the names of the files that its examples leave.
    init(_ plan: ChaosPlan, in scratch: Scratch, files: String) throws {
        (self.plan, self.scratch, self.files) = (plan, scratch, files)
        var command: [String]
        switch plan.start {
        case .ameexec: command = ["ameexec", "-np", "\(plan.ranks)", "dlp-lua"]
        case .np: command = ["dlp-lua", "-np", "\(plan.ranks)"]
        case .relay:
            var conduct = Relay.Conduct()
            conduct.piece = plan.piece
            relays = try (1..<plan.ranks).map { _ in
                try Relay(conduct) { scratch.read("root").map { .local(name: String($0.dropLast())) } }
            }
            try scratch.write("rank.sh", Self.script(relays.map(\.port)))
            command = ["ameexec", "-np", "\(plan.ranks)", "sh", "rank.sh"]
        }
        var environment = ["HOME": scratch.path, "TMPDIR": scratch.path, "CHAOS_FILES": files]
        if let call = plan.faults.lazy.compactMap(FailingCall.init).first {
            let library = try FailingCall.compile(in: scratch)
            environment.merge(call.environment(library, in: scratch)) { $1 }
        }
        launched = try Launched(command + plan.options + ["job.lua"], in: scratch, environment: environment)
    }

    /// A script that becomes a rank: rank 0 records where it listens, and each other rank connects to its relay.
    private static func script(_ ports: [UInt16]) -> String {
        let cases = ports.enumerated().map { "\($0 + 1)) AME_PORT=\($1) ;;" }.joined(separator: "\n")
        return """
            case $AME_RANK in
            0) echo "$AME_SOCKET" >root.new && mv root.new root ;;
            \(cases)
            esac
            if [ $AME_RANK != 0 ]; then
              unset AME_SOCKET
              export AME_HOST=127.0.0.1 AME_PORT
            fi
            exec dlp-lua "$@"
            """
    }

    /// Injects the faults of the plan, and waits for the end.
    func run() throws -> Outcome {
        for fault in plan.faults where !launched.hasEnded { try inject(fault) }
        let outcome = try launched.finish()
        if let fault = plan.faults.first(where: { FailingCall($0) != nil }), let call = FailingCall.name(in: scratch) {
            injected.append(Injection(fault: fault, begun: 0, call: call))
        }
        return outcome
    }

    /// How many examples have begun; an example counts once for each attempt.
    var begun: Int { scratch.names.count { $0.hasPrefix("\(files).") } }

    private func inject(_ fault: ChaosFault) throws {
        switch fault.moment {
        case .started(let moment):
            try eventually("its time has come") { Self.milliseconds - began >= moment }
        case .begun(let count, let delay):
            try eventually("\(count) examples have begun") { begun >= count || launched.hasEnded }
            usleep(UInt32(delay) * 1000)
        case .listening(let delay):
            guard let signal = fault.signal, awaits(signal, fault.victim) else { return }
            usleep(UInt32(delay))
        }
        let isHeard = fault.signal.map { launched.listens(to: $0, rank: fault.victim.rank) } ?? true
        var injection = Injection(fault: fault, begun: begun, isHeard: isHeard)
        guard try strike(&injection) else { return }
        injection.begunAfter = injection.begunAfter ?? begun
        injected.append(injection)
    }

    /// Waits until a process listens to a signal; false where the job ends before.
    ///
    /// It looks more often than tests that wait for an event, because the start of a job takes little time.
    private func awaits(_ signal: Int32, _ victim: ChaosFault.Victim) -> Bool {
        let deadline = Self.milliseconds + 60_000
        while !launched.hasEnded, Self.milliseconds < deadline {
            if launched.listens(to: signal, rank: victim.rank) { return true }
            usleep(200)
        }
        return false
    }

    /// Injects a fault; false where its victim is no longer there, or not yet.
    private func strike(_ injection: inout Injection) throws -> Bool {
        let fault = injection.fault
        switch fault.kind {
        case .kill: return signal(SIGKILL, fault.victim)
        case .pause(let duration), .pauseAndKill(let duration):
            guard signal(SIGSTOP, fault.victim) else { return false }
            usleep(UInt32(duration) * 1000)
            return signal(fault.kind.isDeadly ? SIGKILL : SIGCONT, fault.victim)
        case .cut(let end):
            guard case .rank(let rank) = fault.victim else { return false }
            relays[rank - 1].cut(by: end)
            return !launched.hasEnded
        case .hold(let duration):
            guard case .rank(let rank) = fault.victim else { return false }
            relays[rank - 1].hold()
            usleep(UInt32(duration) * 1000)
            relays[rank - 1].goOn()
            return !launched.hasEnded
        case .stop(let seconds):
            guard case .rank(let rank) = fault.victim, signal(SIGSTOP, fault.victim) else { return false }
            // A process that is about to end may still end.
            try eventually("rank \(rank) stands still, or has ended") { launched.isStopped(rank: rank) ?? true }
            guard launched.isStopped(rank: rank) != nil else { return false }
            injection.begunAfter = begun
            guard let seconds else { return true }
            let end = Self.milliseconds + seconds * 1000
            while !launched.hasEnded, Self.milliseconds < end { usleep(5_000) }
            signal(SIGCONT, fault.victim)
            return true
        case .signal(let number): return signal(number, fault.victim)
        // This fault is prepared before the job starts.
        case .failingCall: return false
        }
    }

    @discardableResult
    private func signal(_ signal: Int32, _ victim: ChaosFault.Victim) -> Bool {
        switch victim {
        case .rank(let rank): return launched.signalIfRunning(signal, rank: rank)
        case .launcher:
            guard !launched.hasEnded else { return false }
            launched.signal(signal)
            return true
        }
    }

    /// Milliseconds of the monotonic clock.
    static var milliseconds: Int {
        var now = timespec()
        clock_gettime(CLOCK_MONOTONIC, &now)
        return now.tv_sec * 1000 + now.tv_nsec / 1_000_000
    }
}

extension ChaosFault.Victim {
    /// The rank, unless it is the launcher.
    var rank: Int? { if case .rank(let rank) = self { rank } else { nil } }
}

extension FailingCall {
    /// The call that a fault makes fail; nil for other faults.
    init?(_ fault: ChaosFault) {
        guard case .failingCall(let number, let isInterrupted) = fault.kind else { return nil }
        self.init(
            number: number, process: fault.victim.rank.map { "\($0)" } ?? "launcher", errno: isInterrupted ? EINTR : nil
        )
    }
}
