import CSystem
public import DLP
import Glibc

/// Starts the ranks of a job on this machine and waits for its end.
///
/// To be called on the main thread of a process that does nothing else: signals stay blocked, and the caller exits
/// with the returned status. Messages go to standard error.
///
/// - Returns: 0 when all ranks ended with 0; otherwise the status of the rank that failed first (128 + n where signal
///   n killed it), or that of rank 0 where rank 0 leads; 2 for invalid options and a program that cannot be run; 124
///   after the timeout; 141 when the reader of the output has gone; 1 where the system refuses something.
public func launch(_ options: LaunchOptions) -> Int32 {
    dlp_keep_standard_descriptors()
    do throws(LaunchError) {
        try options.validate()
        if let hosts = options.hosts { return try HostSupervisor(options, hosts).run() }
        return try Supervisor(options).run()
    } catch {
        writeMessage(error.message, from: options.program)
        return error.status
    }
}

extension LaunchOptions {
    fileprivate func validate() throws(LaunchError) {
        if command.isEmpty { throw LaunchError("no command to start; name a program after the options", status: 2) }
        if size < 1 { throw LaunchError("cannot start \(size) ranks; -np takes a number from 1 on", status: 2) }
        try checkSize(size)
        if hosts == nil, let pty, !(0..<size).contains(pty) {
            throw LaunchError("there is no rank \(pty) for --pty; ranks are 0 to \(size - 1)", status: 2)
        }
        if let timeout, !(timeout > 0) {
            throw LaunchError("--timeout takes a number of seconds above 0, not \(timeout)", status: 2)
        }
        for (name, _) in exports where name.bytes.isEmpty {
            throw LaunchError("-x takes NAME or NAME=VALUE, and a name is not empty", status: 2)
        }
    }
}

/// Parses a number of ranks: a number, or `auto` for one rank for each CPU that this process may use.
///
/// - Throws: `LaunchError` where the text is neither.
public func rankCount(_ text: SystemString) throws(LaunchError) -> Int {
    if text == "auto" {
        var cpus = [Int32](repeating: 0, count: 1024)
        return max(Int(dlp_allowed_cpus(&cpus, Int32(cpus.count))), 1)
    }
    guard let number = Int(text.description), number >= 1 else {
        throw LaunchError("-np must be a number of ranks from 1 on, or auto, not '\(text)'", status: 2)
    }
    return number
}

/// - Throws: `LaunchError` where a job has more ranks than processes are possible.
func checkSize(_ size: Int) throws(LaunchError) {
    if size > mostProcesses {
        throw LaunchError(
            "cannot start \(size) ranks: this machine numbers processes up to \(mostProcesses)", status: 2)
    }
}

/// The largest process number of this machine.
private let mostProcesses: Int = {
    guard let file = fopen("/proc/sys/kernel/pid_max", "re") else { return Int(Int32.max) }
    defer { fclose(file) }
    var line = [CChar](repeating: 0, count: 32)
    return fgets(&line, Int32(line.count), file) == nil ? Int(Int32.max) : max(1, atol(line))
}()
