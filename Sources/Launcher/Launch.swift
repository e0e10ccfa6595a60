import Glibc

/// Starts the ranks of a job on this machine and waits for its end.
///
/// For the main thread of a process that does nothing else: signals stay blocked, and the caller exits with the status.
/// Messages go to standard error.
///
/// - Returns: 0 when all ranks ended with 0; otherwise the status of the rank that failed first, 128 + n where signal n
///   killed it; rank 0's, where rank 0 leads; 2 for options that make no sense and a program that cannot be run; 124
///   after the time-out; 141 when nobody reads the output any more; 1 where the system refuses something.
public func launch(_ options: LaunchOptions) -> Int32 {
    keepStandardDescriptors()
    do throws(LaunchError) {
        try options.validate()
        return try Supervisor(options).run()
    } catch {
        let line = "\(options.program): \(error.message)\n"
        _ = write(2, line, line.utf8.count)
        return error.status
    }
}

extension LaunchOptions {
    fileprivate func validate() throws(LaunchError) {
        if command.isEmpty { throw LaunchError("no command to start; name a program after the options", status: 2) }
        if size < 1 { throw LaunchError("cannot start \(size) ranks; -np takes a number from 1 on", status: 2) }
        if let pty, !(0..<size).contains(pty) {
            throw LaunchError("there is no rank \(pty) for --pty; ranks are 0 to \(size - 1)", status: 2)
        }
        if let timeout, !(timeout > 0) {
            throw LaunchError("--timeout takes a number of seconds above 0, not \(timeout)", status: 2)
        }
        for (name, _) in exports where name.isEmpty || name.utf8.contains(0) {
            throw LaunchError("-x takes NAME or NAME=VALUE, and a name is not empty", status: 2)
        }
    }
}

/// Opens what is missing of 0, 1 and 2: otherwise a pipe of a rank would get such a number.
private func keepStandardDescriptors() {
    var descriptor = open("/dev/null", O_RDWR)
    while (0...2).contains(descriptor) { descriptor = open("/dev/null", O_RDWR) }
    if descriptor > 2 { close(descriptor) }
}
