#if canImport(Glibc)
    import Glibc
#endif

/// Writes all of `bytes`, however many calls that takes, waiting where the descriptor does not block.
///
/// - Returns: 0, or the `errno` that ended it.
package func writeFully(_ bytes: UnsafeRawBufferPointer, to descriptor: Int32) -> Int32 {
    var rest = bytes[...]
    while !rest.isEmpty {
        let count = write(descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
        if count >= 0 {
            rest = rest.dropFirst(count)
        } else if errno == EAGAIN {
            var waiting = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
            _ = poll(&waiting, 1, -1)
        } else if errno != EINTR {
            return errno
        }
    }
    return 0
}

/// Writes a message of `program` to standard error, in one write where the system takes it.
///
/// The text may come from elsewhere, such as a file's name, so whatever a terminal would take as a command is shown as
/// an escape.
package func writeMessage(_ text: String, from program: String) {
    var message = Array("\(program): \(text)\n".visible(keepsLines: true).utf8)
    // Where even this cannot be written, there is no way to report it.
    message.withUnsafeMutableBytes { _ = writeFully(UnsafeRawBufferPointer($0), to: 2) }
}

/// What the user is told where standard output has not got all of what was asked for.
package let incompleteOutput = "standard output could not be written whole; is the disk full?"

/// Prints a text and a newline on standard output, of which nothing is waiting in a buffer; returns whether it could.
package func answer(_ text: String) -> Bool {
    Array("\(text)\n".utf8).withUnsafeBytes { writeFully($0, to: STDOUT_FILENO) } == 0
}
