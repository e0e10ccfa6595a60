import FaultRelay
import Glibc
import Testing

/// A chaos job that runs: its ranks, its relays, and what is done to them.
final class ChaosJob {
    let plan: ChaosPlan
    let scratch: Scratch
    private let launched: Launched
    /// By rank, from 1; empty where ranks are connected directly.
    private var relays: [Relay] = []
    private let began = ChaosJob.milliseconds
    /// What was done, as far as its victim was still there, and how many examples had begun then.
    private(set) var injected: [(fault: ChaosFault, begun: Int)] = []
    private let files: String

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
        launched = try Launched(
            command + plan.options + ["job.lua"], in: scratch,
            environment: ["HOME": scratch.path, "TMPDIR": scratch.path, "CHAOS_FILES": files])
    }

    /// What becomes a rank: rank 0 says where it listens, each other one goes to its relay.
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

    /// Does what the plan wants, and waits for the end.
    func run() throws -> Outcome {
        for fault in plan.faults where !launched.hasEnded { try inject(fault) }
        return try launched.finish()
    }

    /// How many examples have begun, each as often as somebody tried it.
    var begun: Int { scratch.names.count { $0.hasPrefix("\(files).") } }

    private func inject(_ fault: ChaosFault) throws {
        switch fault.moment {
        case .started(let moment):
            try eventually("its time has come") { Self.milliseconds - began >= moment }
        case .begun(let count, let delay):
            try eventually("\(count) examples have begun") { begun >= count || launched.hasEnded }
            usleep(UInt32(delay) * 1000)
        }
        let begunBefore = begun
        if strike(fault) { injected.append((fault, begunBefore)) }
    }

    /// False where its victim is not there any more, or not yet.
    private func strike(_ fault: ChaosFault) -> Bool {
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
        }
    }

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
