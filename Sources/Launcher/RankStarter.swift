import AME
import CSystem
import DLP
import Glibc

/// Starts the ranks of a job one after the other and holds what they share.
final class RankStarter {
    private let options: LaunchOptions
    private let signalMask: sigset_t
    private let rendezvous: Rendezvous
    private let environment: RankEnvironment
    private let null: Int32
    private let descriptorLimit: UInt64
    private let cpus: [Int32]
    /// The rank whose standard input is the launcher's.
    private let readingRank: Int?
    /// The rank that reads a terminal, if one does: it stays in the launcher's process group, since only the
    /// foreground group may read there.
    let terminalRank: Int?

    init(_ options: LaunchOptions, signalMask: sigset_t) throws(LaunchError) {
        self.options = options
        self.signalMask = signalMask
        let isTerminal = isatty(0) == 1
        readingRank = options.pty ?? (isTerminal ? nil : 0)
        terminalRank = isTerminal ? options.pty : nil
        rendezvous = try Rendezvous()
        environment = RankEnvironment(
            inherited: ownEnvironment(), exports: options.exports, rendezvous: rendezvous.variables,
            size: options.size, columns: isDrawable(2) ? Int(dlp_terminal_columns(2)) : 0)
        null = open("/dev/null", O_RDWR | O_CLOEXEC)
        if null < 0 { throw LaunchError(system: "cannot open /dev/null") }
        descriptorLimit = raiseDescriptorLimit()
        var allowed = [Int32](repeating: 0, count: 1024)
        let count = options.bindToCore ? dlp_allowed_cpus(&allowed, Int32(allowed.count)) : 0
        cpus = Array(allowed.prefix(Int(count)))
    }

    deinit { close(null) }

    /// A started rank, and the reading ends of what it writes.
    struct Start {
        let pid: pid_t
        let output: Int32
        let error: Int32
    }

    /// Starts `rank`; ranks are started in order, from 0.
    func start(_ rank: Int, _ processes: ProcessTable, _ control: ControlChannel) throws(LaunchError) -> Start {
        guard let output = makePipe() else { throw failure(rank) }
        guard let error = makePipe() else {
            let failure = failure(rank)
            output.close()
            throw failure
        }
        let plan = ProcessTable.Plan(
            environment: environment.entries(
                rank: rank, listener: rendezvous.listener, control: control.peerDescriptor),
            input: rank == readingRank ? 0 : null, output: output.writing, error: error.writing,
            inherited: rank == 0 ? [rendezvous.listener, control.peerDescriptor] + namedDescriptors : [],
            leadsGroup: rank != terminalRank, cpu: cpus.isEmpty ? nil : cpus[rank % cpus.count],
            descriptorLimit: descriptorLimit, mask: signalMask)
        guard let pid = processes.start(rank, options.command, plan) else {
            let failure = failure(rank)
            output.close()
            error.close()
            throw failure
        }
        close(output.writing)
        close(error.writing)
        if rank == 0 {
            rendezvous.closeListener()
            control.closePeer()
        }
        return Start(pid: pid, output: output.reading, error: error.reading)
    }

    /// The descriptors that the command names, as a shell's `<(...)` does; what they give can be read only once, by rank 0.
    private var namedDescriptors: [Int32] {
        options.command.compactMap { word in
            guard let path = word.text, path.hasPrefix("/dev/fd/"), let number = Int32(path.dropFirst(8)), number > 2
            else { return nil }
            // Those of this program itself are closed by exec.
            let flags = fcntl(number, F_GETFD)
            return flags >= 0 && flags & FD_CLOEXEC == 0 ? number : nil
        }
    }

    /// What `errno` says about the start of `rank`.
    private func failure(_ rank: Int) -> LaunchError {
        let number = errno
        switch number {
        case EAGAIN, ENOMEM, EMFILE, ENFILE:
            return LaunchError(
                "cannot start rank \(rank) of \(options.size): \(reason(number)); start fewer ranks, or raise the limits"
                    + " that `ulimit -u` and `ulimit -n` show",
                status: 1)
        default: return LaunchError("cannot start '\(options.command[0])': \(reason(number))", status: 2)
        }
    }
}

/// A pipe whose reading end does not block.
private struct RankPipe {
    let reading: Int32
    let writing: Int32

    func close() {
        Glibc.close(reading)
        Glibc.close(writing)
    }
}

private func makePipe() -> RankPipe? {
    var ends: [Int32] = [-1, -1]
    return dlp_output_pipe(&ends) == 0 ? RankPipe(reading: ends[0], writing: ends[1]) : nil
}

/// Allows this process as many descriptors as it may have, for two pipes per rank; gives the limit from before, which
/// the ranks keep: programs that use `select` need it to be low.
private func raiseDescriptorLimit() -> UInt64 {
    var limit = rlimit()
    guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return 0 }
    let before = limit.rlim_cur
    limit.rlim_cur = limit.rlim_max
    setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    return UInt64(before)
}
