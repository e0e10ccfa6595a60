import CSystem
import DLP
import Glibc

/// What this process itself reads from standard input.
enum StandardInput {
    /// Reads all of it, unchanged.
    ///
    /// - Throws: `UsageError` where it cannot be read.
    static func allBytes() throws(UsageError) -> Bytes {
        mentionTerminal("the script is standard input")
        var writer = ByteWriter()
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = read(STDIN_FILENO, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else {
                throw UsageError("standard input cannot be read: \(String(cString: strerror(errno)))")
            }
            guard count > 0 else { return writer.finish() }
            buffer.withUnsafeBytes { writer.append(contentsOf: UnsafeRawBufferPointer(rebasing: $0[..<count])) }
        }
    }

    /// Returns what the C library has read ahead and the script has not taken.
    static func takeReadAhead() -> [UInt8] {
        var ahead: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 12)
        while true {
            let count = dlp_take_read_ahead(&buffer, buffer.count)
            guard count > 0 else { return ahead }
            ahead += buffer[..<count]
        }
    }

    /// Tells the user what is read from standard input where it is a terminal; otherwise the user may not know that
    /// input is awaited.
    static func mentionTerminal(_ what: String) {
        guard isatty(STDIN_FILENO) != 0 else { return }
        Diagnostics.write("\(what), which is the terminal: Ctrl-D at the beginning of a line ends it")
    }
}
