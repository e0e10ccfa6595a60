import DLP
// The C library's `stdout` is a variable; it is only handed to functions that lock it.
@preconcurrency import Glibc

/// Keeps what a script prints on a terminal apart from the status line that is drawn there.
///
/// While it is active standard output and standard error, as far as they are the terminal of the status, lead into a
/// pipe. The owner polls `descriptor` and calls `drain`, which passes on what was written, above the status. The
/// owning thread itself must print through `output` only: nobody would empty a pipe that it filled. Programs that the
/// script starts see a pipe where the terminal was.
public struct TerminalGuard: ~Copyable {
    /// Becomes readable when something was printed.
    public let descriptor: Int32
    /// Prints on the terminal itself.
    public let output: StatusOutput

    private let terminal: Int32
    private let replaced: [Int32]

    /// Puts itself between the process and its terminal; nil where standard error is no terminal, or the system
    /// refuses.
    public init?() { self.init(standardOutput: STDOUT_FILENO, standardError: STDERR_FILENO) }

    /// The same for any two descriptors.
    init?(standardOutput: Int32, standardError: Int32) {
        guard isDrawable(standardError) else { return nil }
        let terminal = fcntl(standardError, F_DUPFD_CLOEXEC, 3)
        guard terminal >= 0 else { return nil }
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else {
            close(terminal)
            return nil
        }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        _ = fcntl(ends[0], F_SETFL, O_NONBLOCK)
        var replaced = [standardError]
        if standardOutput != standardError, Self.isSameTerminal(standardOutput, standardError) {
            replaced.append(standardOutput)
        }
        fflush(stdout)
        for descriptor in replaced { dup2(ends[1], descriptor) }
        close(ends[1])
        // The library fills whole buffers for a pipe; a script's lines should come as they do on a terminal.
        setvbuf(stdout, nil, _IOLBF, 0)
        descriptor = ends[0]
        output = StatusOutput(descriptor: terminal)
        self.terminal = terminal
        self.replaced = replaced
    }

    private static func isSameTerminal(_ one: Int32, _ other: Int32) -> Bool {
        var first = stat()
        var second = stat()
        return isatty(one) == 1 && fstat(one, &first) == 0 && fstat(other, &second) == 0
            && first.st_rdev == second.st_rdev
    }

    /// Passes on what has been printed so far.
    public func drain() {
        withUnsafeTemporaryAllocation(byteCount: 1 << 16, alignment: 1) { buffer in
            while true {
                let count = read(descriptor, buffer.baseAddress, buffer.count)
                if count > 0 {
                    output.pass(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
                } else if count == 0 || errno != EINTR {
                    return
                }
            }
        }
    }

    /// Passes on the rest and gives the terminal back.
    ///
    /// Call it when the script has come to its end and before the process exits; what is printed meanwhile is lost.
    public consuming func stop() {
        // The library's own buffer is smaller than an empty pipe, so this does not block.
        drain()
        fflush(stdout)
        for descriptor in replaced { dup2(terminal, descriptor) }
        drain()
    }

    deinit {
        close(descriptor)
        close(terminal)
    }
}
