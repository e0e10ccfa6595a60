import CSystem
import DLP
import Glibc

/// The processes of a job: starts, signals and reaps them, and keeps the guardian informed.
///
/// Ranks are found by their process group, which holds also what they started. The number of a group is taken as long
/// as it has members, so a group is forgotten, here and by the guardian, as soon as its last member is gone: every
/// member whose parent has ended is a child of this process, and so its end is noticed.
final class ProcessTable {
    private struct Rank {
        let pid: pid_t
        let leadsGroup: Bool
        var isRunning = true

        /// The rank and what it started, as `kill` takes it.
        var target: pid_t { leadsGroup ? -pid : pid }
    }

    private let guardian: pid_t
    private let guardianDescriptor: Int32
    /// Ranks that run, or whose process group has members that do.
    private var ranks: [Int: Rank] = [:]
    private var rankOfProcess: [pid_t: Int] = [:]

    init() throws(LaunchError) {
        var descriptor: Int32 = -1
        guardian = dlp_guardian_start(&descriptor)
        guardianDescriptor = descriptor
        if guardian < 0 { throw LaunchError(system: "cannot start a process") }
        // Where that fails, leftovers that left their process group escape; nothing else depends on it.
        _ = dlp_adopt_orphans()
    }

    /// Dismisses the guardian: from now on nobody kills what is left.
    deinit {
        _ = dlp_guardian_tell(guardianDescriptor, dlp_guardian_goodbye, 0)
        close(guardianDescriptor)
        waitpid(guardian, nil, 0)
    }

    /// How a rank is to be started.
    struct Plan {
        var environment: [[UInt8]]
        var input: Int32
        var output: Int32
        var error: Int32
        var inherited: [Int32]
        var leadsGroup: Bool
        var cpu: Int32?
        var descriptorLimit: UInt64
        var mask: sigset_t
    }

    /// Starts `command` as `rank`.
    ///
    /// - Returns: Its process number, or nil with the reason in `errno`.
    func start(_ rank: Int, _ command: [SystemString], _ plan: Plan) -> pid_t? {
        var mask = plan.mask
        let pid = withCStrings(command.map(\.bytes)) { arguments in
            withCStrings(plan.environment) { environment in
                plan.inherited.withUnsafeBufferPointer { inherited in
                    withUnsafePointer(to: &mask) { mask in
                        var process = dlp_process()
                        process.arguments = arguments
                        process.environment = environment
                        process.input = plan.input
                        process.output = plan.output
                        process.error = plan.error
                        process.inherited = inherited.baseAddress
                        process.inherited_count = Int32(inherited.count)
                        process.own_group = plan.leadsGroup ? 1 : 0
                        process.cpu = plan.cpu ?? -1
                        process.descriptor_limit = plan.descriptorLimit
                        process.mask = mask
                        process.guardian = guardianDescriptor
                        return dlp_process_start(&process)
                    }
                }
            }
        }
        if pid < 0 { return nil }
        ranks[rank] = Rank(pid: pid, leadsGroup: plan.leadsGroup)
        rankOfProcess[pid] = rank
        return pid
    }

    /// Sends `signal` to a running rank and what it started; SIGUSR1, which only asks, to the rank alone: to programs that do
    /// not expect it, it is the end.
    func signal(_ rank: Int, _ signal: Int32) {
        guard let entry = ranks[rank] else { return }
        if signal == SIGUSR1 { ask(entry.pid) } else { send(signal, to: entry.target) }
    }

    /// Sends SIGUSR1 to the dlp-lua that `process` is, or that it has started, as a shell does.
    private func ask(_ process: pid_t) {
        var processes = [process]
        while let process = processes.first {
            processes.removeFirst()
            if answers(process) { return send(SIGUSR1, to: process) }
            processes += Descendants.children(of: process)
        }
    }

    /// Whether a process is dlp-lua, and listens to SIGUSR1.
    private func answers(_ process: pid_t) -> Bool {
        let file = open("/proc/\(process)/status", O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return false }
        defer { close(file) }
        var buffer = [UInt8](repeating: 0, count: 8192)
        let count = read(file, &buffer, buffer.count)
        let lines = String(decoding: buffer.prefix(max(0, count)), as: UTF8.self)
        var facts: [Substring: Substring] = [:]
        for line in lines.split(separator: "\n") {
            let parts = line.split(separator: "\t", maxSplits: 1)
            if parts.count == 2 { facts[parts[0]] = parts[1] }
        }
        // One that it has blocked it reads from a descriptor.
        let masks = ["SigCgt:", "SigBlk:"].map { facts[$0].flatMap { UInt64($0, radix: 16) } ?? 0 }
        guard (masks[0] | masks[1]) & (1 << (SIGUSR1 - 1)) != 0 else { return false }
        var program = [CChar](repeating: 0, count: Int(PATH_MAX))
        let length = readlink("/proc/\(process)/exe", &program, program.count)
        return program.prefix(max(0, length)).suffix(8).elementsEqual("/dlp-lua".utf8.map { CChar($0) })
    }

    /// Sends `signal` to all running ranks and what they started.
    func signalAll(_ signal: Int32) {
        for entry in ranks.values where entry.isRunning { send(signal, to: entry.target) }
    }

    /// The ranks that have ended since the last call, and how.
    func reap() -> [(rank: Int, ending: Ending)] {
        var ended: [(rank: Int, ending: Ending)] = []
        var status: Int32 = 0
        while true {
            let pid = waitpid(-1, &status, WNOHANG)
            if pid <= 0 { break }
            guard let rank = rankOfProcess.removeValue(forKey: pid) else { continue }
            ranks[rank]?.isRunning = false
            let result = dlp_wait_result(status)
            ended.append((rank, result < 0 ? .signalled(-result) : .exited(result)))
        }
        for (rank, entry) in ranks where !entry.isRunning && isGone(entry) {
            _ = dlp_guardian_tell(guardianDescriptor, dlp_guardian_forget, entry.target)
            ranks[rank] = nil
        }
        return ended
    }

    private func isGone(_ entry: Rank) -> Bool { !entry.leadsGroup || (kill(entry.target, 0) != 0 && errno == ESRCH) }

    // MARK: - Leftovers

    /// Whether anything runs that this process, or what it started, has started.
    var hasDescendants: Bool { !ranks.isEmpty || !children().isEmpty }

    /// Sends `signal` to whatever outlived its rank: the members of the ranks' groups, and those who left them.
    func signalLeftovers(_ signal: Int32) {
        for entry in ranks.values { send(signal, to: entry.target) }
        for child in children() { send(signal, to: child) }
    }

    /// The processes whose parent is this one, without the guardian.
    private func children() -> [pid_t] { Descendants.children(of: getpid()).filter { $0 != guardian } }
}

/// Calls `body` with `strings` as C has them: pointers that end with a null pointer, valid until `body` returns.
private func withCStrings<Result>(
    _ strings: [[UInt8]], _ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>) -> Result
) -> Result {
    var bytes: [CChar] = []
    var offsets: [Int] = []
    for string in strings {
        offsets.append(bytes.count)
        bytes += string.map { CChar(bitPattern: $0) }
        bytes.append(0)
    }
    return bytes.withUnsafeMutableBufferPointer { buffer in
        var pointers = offsets.map { offset in buffer.baseAddress.map { $0 + offset } }
        pointers.append(nil)
        return pointers.withUnsafeBufferPointer { pointers in
            // Not empty, and so it has a base address: it ends with nil.
            body(pointers.baseAddress.unsafelyUnwrapped)
        }
    }
}
