import DLP
// The C library's `stdout` is a variable; it is only handed to functions that lock it.
@preconcurrency import Glibc

/// Separates a script's output on a terminal from the status line that is drawn there.
///
/// While it is active, standard output and standard error lead into a pipe, if they are the terminal of the status. The
/// owner polls `descriptor` and calls `drain`, which passes on the output, above the status. The owning thread itself must
/// print only through `output`, because a pipe that it filled itself would not be emptied. Programs that the script starts
/// see a pipe in place of the terminal.
public struct TerminalGuard: ~Copyable {
    /// Becomes readable when something has been printed.
    public let descriptor: Int32
    /// Prints directly on the terminal.
    public let output: StatusOutput

    private let terminal: Int32
    private let replaced: [Int32]

    /// Puts itself between the process and its terminal; nil where standard error is not a terminal, or where a system call
    /// fails.
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
        // For a pipe the library would write only full buffers. A script's lines should come as they do on a terminal.
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

    /// Passes on everything printed so far.
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

    /// Passes on the rest, and restores the terminal.
    ///
    /// Must be called after the script has ended and before the process exits. Anything printed meanwhile is lost.
    public consuming func stop() {
        // The pipe is empty then, and larger than the library's own buffer, so the flush does not block.
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
