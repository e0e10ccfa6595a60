import CSystem
import DLP
import Glibc

/// The processes of a job: starts, signals and reaps them, and keeps the guardian informed.
///
/// A rank is found by its process group, which also holds the processes that it started. The number of a group is in
/// use as long as the group has members. So a group is forgotten, here and by the guardian, as soon as its last
/// member is gone. Every member whose parent has ended is a child of this process, so its end is noticed.
final class ProcessTable {
    private struct Rank {
        let pid: pid_t
        let leadsGroup: Bool
        var isRunning = true

        /// The rank and the processes that it started, as an argument for `kill`.
        var target: pid_t { leadsGroup ? -pid : pid }
    }

    private let guardian: pid_t
    private let guardianDescriptor: Int32
    /// Ranks that are running, or whose process group has running members.
    private var ranks: [Int: Rank] = [:]
    private var rankOfProcess: [pid_t: Int] = [:]

    init() throws(LaunchError) {
        var descriptor: Int32 = -1
        guardian = dlp_guardian_start(&descriptor)
        guardianDescriptor = descriptor
        if guardian < 0 { throw LaunchError(system: "cannot start a process") }
        // If this fails, leftovers that have left their process group escape. Nothing else depends on it.
        _ = dlp_adopt_orphans()
    }

    /// Dismisses the guardian: from now on it does not kill leftovers.
    deinit {
        _ = dlp_guardian_tell(guardianDescriptor, dlp_guardian_goodbye, 0)
        close(guardianDescriptor)
        waitpid(guardian, nil, 0)
    }

    /// The way in which a rank is to be started.
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
    /// - Returns: Its process number; nil with the reason in `errno`.
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

    /// Sends `signal` to a running rank and the processes that it started.
    ///
    /// SIGUSR1, which only asks, goes to the rank alone, because it would end programs that do not expect it.
    func signal(_ rank: Int, _ signal: Int32) {
        guard let entry = ranks[rank] else { return }
        if signal == SIGUSR1 { ask(entry.pid) } else { send(signal, to: entry.target) }
    }

    /// Sends SIGUSR1 to dlp-lua: to `process`, or to the one that `process` has started, as a shell does.
    private func ask(_ process: pid_t) {
        var processes = [process]
        while let process = processes.first {
            processes.removeFirst()
            if answers(process) { return send(SIGUSR1, to: process) }
            processes += Descendants.children(of: process)
        }
    }

    /// Whether a process is dlp-lua and handles SIGUSR1.
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
        // If the signal is blocked, the process reads it from a descriptor.
        let masks = ["SigCgt:", "SigBlk:"].map { facts[$0].flatMap { UInt64($0, radix: 16) } ?? 0 }
        guard (masks[0] | masks[1]) & (1 << (SIGUSR1 - 1)) != 0 else { return false }
        var program = [CChar](repeating: 0, count: Int(PATH_MAX))
        let length = readlink("/proc/\(process)/exe", &program, program.count)
        return program.prefix(max(0, length)).suffix(8).elementsEqual("/dlp-lua".utf8.map { CChar($0) })
    }

    /// Sends `signal` to all running ranks and the processes that they started.
    func signalAll(_ signal: Int32) {
        for entry in ranks.values where entry.isRunning { send(signal, to: entry.target) }
    }

    /// Returns the ranks that have ended since the last call, with their endings.
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

    /// Whether any descendant of this process is still running.
    var hasDescendants: Bool { !ranks.isEmpty || !children().isEmpty }

    /// Sends `signal` to all processes that outlived their rank: the members of the ranks' groups, and those that
    /// left them.
    func signalLeftovers(_ signal: Int32) {
        for entry in ranks.values { send(signal, to: entry.target) }
        for child in children() { send(signal, to: child) }
    }

    /// The processes whose parent is this process, except the guardian.
    private func children() -> [pid_t] { Descendants.children(of: getpid()).filter { $0 != guardian } }
}

/// Calls `body` with `strings` as C expects them: an array of pointers that ends with a null pointer, valid until
/// `body` returns.
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
            // The array ends with nil, so it is not empty and has a base address.
            body(pointers.baseAddress.unsafelyUnwrapped)
        }
    }
}
