import Glibc
import TestSupport
import Testing

/// A command that a test started, in a separate session; what is left of it is killed with the object.
final class Launched {
    let pid: pid_t
    /// A variable in the environment of all its processes, and of no others.
    private let mark: String
    /// The directory in which it runs.
    let scratch: Scratch
    private let place: AnyObject?
    private let output: Int32
    private let error: Int32
    private var waitStatus: Int32?

    /// Starts a command as a user would, with our programs in PATH.
    ///
    /// - Parameters:
    ///   - words: The command and its arguments.
    ///   - scratch: The directory in which it runs.
    ///   - input: What it reads on standard input.
    ///   - environment: Variables that are set in addition to those of the tests.
    ///   - place: An object that must exist as long as the command runs.
    init(
        _ words: [String], in scratch: Scratch, input: String = "", environment: [String: String] = [:],
        at place: AnyObject? = nil
    ) throws {
        let path = getenv("PATH").map { String(cString: $0) } ?? "/usr/bin:/bin"
        self.scratch = scratch
        self.place = place
        mark = "DLP_TEST_JOB=\(UInt64.random(in: 0 ... .max))"
        var variables =
            [mark, "PATH=\(Program.shipped):\(Program.directory):\(path)"] + environment.map { "\($0.key)=\($0.value)" }
        let names = variables.map { $0.prefix { $0 != "=" } }
        variables += ownEnvironment().filter { entry in !names.contains(entry.prefix { $0 != "=" }) }

        output = try temporaryFile()
        error = try temporaryFile()
        let inputFile = try temporaryFile()
        defer { close(inputFile) }
        try #require(pwrite(inputFile, input, input.utf8.count, 0) == input.utf8.count)

        var actions = posix_spawn_file_actions_t()
        var attributes = posix_spawnattr_t()
        posix_spawn_file_actions_init(&actions)
        posix_spawnattr_init(&attributes)
        defer {
            posix_spawn_file_actions_destroy(&actions)
            posix_spawnattr_destroy(&attributes)
        }
        posix_spawn_file_actions_adddup2(&actions, inputFile, 0)
        posix_spawn_file_actions_adddup2(&actions, output, 1)
        posix_spawn_file_actions_adddup2(&actions, error, 2)
        var every = sigset_t()
        var none = sigset_t()
        sigfillset(&every)
        sigemptyset(&none)
        posix_spawnattr_setsigdefault(&attributes, &every)
        posix_spawnattr_setsigmask(&attributes, &none)
        // 0x80 is POSIX_SPAWN_SETSID, which the module Glibc lacks.
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK) | 0x80)

        // env(1) changes the directory and looks the command up in the new PATH; then it becomes the command.
        var arguments = (["env", "-C", scratch.path] + words).map { strdup($0) } + [nil]
        var entries = variables.map { strdup($0) } + [nil]
        defer { (arguments + entries).forEach { free($0) } }
        var pid: pid_t = 0
        try #require(posix_spawnp(&pid, "env", &actions, &attributes, &arguments, &entries) == 0)
        self.pid = pid
    }

    deinit {
        if waitStatus == nil {
            kill(pid, SIGKILL)
            waitpid(pid, nil, 0)
        }
        for process in processes { kill(process, SIGKILL) }
        close(output)
        close(error)
    }

    /// Whether the process that was started has ended.
    var hasEnded: Bool {
        var status: Int32 = 0
        if waitStatus == nil, waitpid(pid, &status, WNOHANG) == pid { waitStatus = status }
        return waitStatus != nil
    }

    /// Waits for its end: its exit status, 128 + n where signal n killed it.
    func wait() throws -> Int32 {
        try reaches("it ends") { hasEnded }
        let status = waitStatus ?? 0
        return status & 0x7F == 0 ? status >> 8 & 0xFF : 128 + status & 0x7F
    }

    /// Waits for its end and for that of everything that it started.
    func finish() throws -> Outcome {
        let status = try wait()
        try eventually("no process of it is left, but\n\(processTable)") { processes.isEmpty }
        return Outcome(status: status, bytes: contents(of: output), error: errorText)
    }

    /// Sends a signal to the process that was started.
    func signal(_ signal: Int32) { if waitStatus == nil { kill(pid, signal) } }

    /// Sends a signal to our launcher, whatever program started it.
    func signalLauncher(_ signal: Int32) throws {
        let found = processes.filter { process in
            ["dlp-lua", "ameexec"].contains(commandName(of: process)) && rankNumber(in: variables(of: process)) == nil
                && text(of: process, "cmdline")?.contains("\0--agent") == false
        }
        try #require(found.count == 1, "one process is the launcher, not\n\(processTable)")
        kill(found[0], signal)
    }

    /// Sends a signal to one rank of the job, under any launcher.
    func signal(_ signal: Int32, rank: Int) throws {
        try #require(signalIfRunning(signal, rank: rank), "one process is rank \(rank)")
    }

    /// Sends a signal to one rank of the job, if it has not ended; returns whether it has not.
    @discardableResult
    func signalIfRunning(_ signal: Int32, rank: Int) -> Bool {
        guard let process = process(rank: rank) else { return false }
        kill(process, signal)
        return true
    }

    /// Whether a rank is stopped; nil where it has ended.
    func isStopped(rank: Int) -> Bool? {
        process(rank: rank).flatMap { line("State", of: $0) }.map { $0.hasPrefix("T") }
    }

    /// Whether the process that was started, or one of its ranks, has a handler for a signal.
    func listens(to signal: Int32, rank: Int? = nil) -> Bool {
        guard !hasEnded, let process = rank == nil ? pid : rank.flatMap({ self.process(rank: $0) }),
            let mask = line("SigCgt", of: process).flatMap({ UInt64($0, radix: 16) })
        else { return false }
        return mask & 1 << UInt64(signal - 1) != 0
    }

    /// Returns the peak memory of a rank so far, in kilobytes; nil where the rank has ended.
    func peakMemory(rank: Int) -> Int? {
        process(rank: rank).flatMap { number("VmHWM", of: $0) }
    }

    /// Returns the process of a rank, if it has not ended.
    private func process(rank: Int) -> pid_t? {
        // Launchers have no rank. A program that a rank starts looks like the rank until it executes the other
        // program.
        let found = processes.filter { process in
            ["dlp-lua", "mpi-probe"].contains(commandName(of: process))
                && rankNumber(in: variables(of: process)) == rank
        }
        let ranks = found.filter { process in !(number("PPid", of: process).map { found.contains(pid_t($0)) } ?? true) }
        return ranks.count == 1 ? ranks[0] : nil
    }

    /// Returns a number from a process's status in /proc; nil where the process has ended.
    private func number(_ name: String, of process: pid_t) -> Int? {
        line(name, of: process).flatMap { Int($0.filter(\.isNumber)) }
    }

    private func line(_ name: String, of process: pid_t) -> Substring? {
        text(of: process, "status")?.split(separator: "\n").first { $0.hasPrefix("\(name):\t") }?
            .dropFirst(name.count + 2)
    }

    /// What it has written to standard error so far.
    var errorText: String { String(decoding: contents(of: error), as: UTF8.self) }

    /// All its processes that still run, one line each: number, rank, program, state, where it waits.
    var processTable: String {
        processes.map { process in
            let rank = rankNumber(in: variables(of: process)).map { String($0) } ?? "-"
            let state = text(of: process, "stat")?.split(separator: " ").dropFirst(2).first ?? "gone"
            let place = text(of: process, "wchan") ?? "gone"
            return "\(process) \(rank) \(commandName(of: process) ?? "gone") \(state) \(place)"
        }.joined(separator: "\n")
    }

    /// All its processes that still run.
    var processes: [pid_t] {
        entries(of: "/proc").compactMap { Int32($0) }.filter { variables(of: $0).contains(mark[...]) }
    }
}

/// The outcome of a command that has ended.
struct Outcome {
    var status: Int32
    /// What it wrote to standard output.
    var bytes: [UInt8]
    /// What it wrote to standard error.
    var error: String

    /// What it wrote to standard output, as text.
    var output: String { String(decoding: bytes, as: UTF8.self) }

    /// The lines that it wrote to standard output.
    var lines: [String] {
        output.split(separator: "\n", omittingEmptySubsequences: false).dropLast().map { String($0) }
    }
}

/// Runs a command to its end; blanks separate its words, and further words can be given separately.
func run(
    _ command: String, _ words: String..., in scratch: Scratch? = nil, input: String = "",
    environment: [String: String] = [:]
) throws -> Outcome {
    let all = command.split(separator: " ").map { String($0) } + words
    return try Launched(all, in: scratch ?? Scratch(), input: input, environment: environment).finish()
}

/// The name of the program that a process runs.
private func commandName(of process: pid_t) -> Substring? {
    text(of: process, "comm")?.split(separator: "\n").first
}

/// A file of a process in /proc; nil where it has ended.
private func text(of process: pid_t, _ name: String) -> String? {
    let file = open("/proc/\(process)/\(name)", O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { return nil }
    defer { close(file) }
    return String(decoding: contents(of: file), as: UTF8.self)
}

/// Returns a process's rank from the variables of its launcher; nil where it has none.
///
/// Slurm's variable comes last, because ranks of other launchers inside an allocation inherit it.
private func rankNumber(in variables: [Substring]) -> Int? {
    ["AME_RANK", "OMPI_COMM_WORLD_RANK", "PMI_RANK", "PMI_ID", "SLURM_PROCID"].lazy.compactMap { name in
        variables.lazy.first { $0.hasPrefix("\(name)=") }.flatMap { Int($0.dropFirst(name.count + 1)) }
    }.first
}

/// Returns the environment with which a process was started; empty where it has ended or belongs to another user.
private func variables(of process: pid_t) -> [Substring] {
    text(of: process, "environ")?.split(separator: "\0") ?? []
}

/// This process's environment, as `NAME=VALUE`.
private func ownEnvironment() -> [String] {
    var entries: [String] = []
    var next = environ
    while let entry = next.pointee {
        entries.append(String(cString: entry))
        next += 1
    }
    return entries
}

/// Creates a file without a name.
private func temporaryFile() throws -> Int32 {
    var name = Array("/tmp/dlp-lua-test-XXXXXX".utf8CString)
    let file = mkstemp(&name)
    try #require(file >= 0)
    _ = fcntl(file, F_SETFD, FD_CLOEXEC)
    unlink(name)
    return file
}
