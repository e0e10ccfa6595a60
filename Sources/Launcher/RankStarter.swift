import AME
import CSystem
import DLP
import Glibc

/// Starts the ranks of a job on this machine one after the other, and holds what they share.
final class RankStarter {
    private let command: [SystemString]
    private let size: Int
    private let signalMask: sigset_t
    /// The rendezvous where rank 0 listens, if rank 0 is to be started here.
    private let rendezvous: Rendezvous?
    /// The door where rank 0 listens for ranks of other hosts, if there are any.
    private let door: RemoteDoor?
    private let environment: RankEnvironment
    private let null: Int32
    private let descriptorLimit: UInt64
    private let cpus: [Int32]
    /// The rank that reads standard input, if any, and the descriptor from which it reads.
    private let readingRank: Int?
    private let input: Int32
    /// Each rank's place among the ranks of this host, where there are several hosts.
    private let places: [Int: (rank: Int, size: Int)]
    /// The rank that reads a terminal, if any.
    ///
    /// It stays in the launcher's process group, because only the foreground group may read from the terminal.
    let terminalRank: Int?

    /// Creates a starter for all ranks of a job.
    convenience init(_ options: LaunchOptions, signalMask: sigset_t) throws(LaunchError) {
        let isTerminal = isatty(0) == 1
        let rendezvous = try Rendezvous()
        try self.init(
            command: options.command, size: options.size, signalMask: signalMask, rendezvous: rendezvous, door: nil,
            environment: RankEnvironment(
                inherited: ownEnvironment(), exports: options.exports,
                rendezvous: rendezvous.variables(key: JobKey().base64), size: options.size, columns: terminalColumns()),
            bindsToCore: options.binding == .core, readingRank: options.pty ?? (isTerminal ? nil : 0), input: 0,
            places: [:],
            terminalRank: isTerminal ? options.pty : nil)
    }

    /// Creates a starter for the ranks of a job that `order` names.
    convenience init(
        _ order: RankOrder, command: [SystemString], exports: [(name: SystemString, value: SystemString?)],
        rendezvous: Rendezvous?, door: RemoteDoor?, input: Int32, signalMask: sigset_t
    ) throws(LaunchError) {
        let variables = order.rendezvous.map { entry in
            let parts = String(decoding: entry, as: UTF8.self).split(separator: "=", maxSplits: 1)
            return (name: String(parts[0]), value: parts.count == 2 ? String(parts[1]) : "")
        }
        let places = zip(order.ranks, order.localRanks).map { ($0, (rank: $1, size: order.localSize)) }
        try self.init(
            command: command, size: order.size, signalMask: signalMask, rendezvous: rendezvous, door: door,
            environment: RankEnvironment(
                inherited: ownEnvironment(), exports: exports, rendezvous: variables, size: order.size,
                columns: order.columns),
            bindsToCore: order.bindsToCore, readingRank: order.readingRank, input: input,
            places: Dictionary(uniqueKeysWithValues: places), terminalRank: nil)
    }

    private init(
        command: [SystemString], size: Int, signalMask: sigset_t, rendezvous: Rendezvous?, door: RemoteDoor?,
        environment: RankEnvironment, bindsToCore: Bool, readingRank: Int?, input: Int32,
        places: [Int: (rank: Int, size: Int)], terminalRank: Int?
    ) throws(LaunchError) {
        self.command = command
        self.size = size
        self.signalMask = signalMask
        self.rendezvous = rendezvous
        self.door = door
        self.environment = environment
        self.readingRank = readingRank
        self.input = input
        self.places = places
        self.terminalRank = terminalRank
        null = open("/dev/null", O_RDWR | O_CLOEXEC)
        if null < 0 { throw LaunchError(system: "cannot open /dev/null") }
        descriptorLimit = raiseDescriptorLimit()
        var allowed = [Int32](repeating: 0, count: 1024)
        let count = bindsToCore ? dlp_allowed_cpus(&allowed, Int32(allowed.count)) : 0
        cpus = Array(allowed.prefix(Int(count)))
    }

    deinit { close(null) }

    /// A started rank, with the reading ends of its output.
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
        let listeners = [rendezvous?.listener].compactMap { $0 } + (door?.descriptors ?? [])
        let place = places[rank]
        let plan = ProcessTable.Plan(
            environment: environment.entries(
                rank: rank, place: place, listeners: listeners, control: control.peerDescriptor),
            input: rank == readingRank ? input : null, output: output.writing, error: error.writing,
            inherited: rank == 0 ? listeners + [control.peerDescriptor] + namedDescriptors : [],
            leadsGroup: rank != terminalRank, cpu: cpus.isEmpty ? nil : cpus[(place?.rank ?? rank) % cpus.count],
            descriptorLimit: descriptorLimit, mask: signalMask)
        guard let pid = processes.start(rank, command, plan) else {
            let failure = failure(rank)
            output.close()
            error.close()
            throw failure
        }
        close(output.writing)
        close(error.writing)
        if rank == 0 {
            rendezvous?.closeListener()
            door?.close()
            control.closePeer()
        }
        return Start(pid: pid, output: output.reading, error: error.reading)
    }

    /// The descriptors that the command names, as with a shell's `<(...)`.
    ///
    /// They can be read only once, by rank 0.
    private var namedDescriptors: [Int32] {
        command.compactMap { word in
            guard let path = word.text, path.hasPrefix("/dev/fd/"), let number = Int32(path.dropFirst(8)), number > 2
            else { return nil }
            // The descriptors of this program itself are closed by exec.
            let flags = fcntl(number, F_GETFD)
            return flags >= 0 && flags & FD_CLOEXEC == 0 ? number : nil
        }
    }

    /// Returns the error for a failed start of `rank`, from `errno`.
    private func failure(_ rank: Int) -> LaunchError {
        let number = errno
        switch number {
        case EAGAIN, ENOMEM, EMFILE, ENFILE:
            return LaunchError(
                "cannot start rank \(rank) of \(size): \(reason(number)); start fewer ranks, or raise the limits"
                    + " that `ulimit -u` and `ulimit -n` show",
                status: 1)
        default: return LaunchError("cannot start '\(command[0])': \(reason(number))", status: 2)
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

/// Returns the width of the terminal at standard error; 0 where it is none.
func terminalColumns() -> Int { isDrawable(2) ? Int(dlp_terminal_columns(2)) : 0 }

/// Raises the limit of descriptors to the allowed maximum, because each rank needs two pipes.
///
/// Returns the previous limit, which the ranks keep: programs that use `select` need a low one.
func raiseDescriptorLimit() -> UInt64 {
    var limit = rlimit()
    guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return 0 }
    let before = limit.rlim_cur
    limit.rlim_cur = limit.rlim_max
    setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    return UInt64(before)
}
