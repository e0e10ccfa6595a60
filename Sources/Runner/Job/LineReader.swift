import CSystem
import DLP
import Glibc

/// The lines of standard input, as examples.
enum LineReader {
    /// Reads them on a thread of its own, as many as the hand-out asks for.
    ///
    /// - Parameter end: ends the job where a line cannot be fed.
    static func feedLines(to feed: sending ExampleFeed, end: @escaping @Sendable (JobEnd) -> Void) throws {
        mentionTerminal("the examples are the lines of standard input (the script has no function examples)")
        feed.takeOver()
        try ServiceThread.detach {
            var splitter = LineSplitter()
            do {
                while feed.waitForDemand() {
                    guard let lines = try splitter.read() else { return feed.close() }
                    try feed.add(lines)
                }
            } catch { end(error as? JobEnd ?? .fault(JobJournal.fault(error))) }
        }
    }

    /// Reads all of standard input as it is.
    ///
    /// - Throws: `UsageError` where it cannot be read.
    static func allBytes() throws(UsageError) -> Bytes {
        mentionTerminal("the script is standard input")
        var writer = ByteWriter()
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = try readInput(into: &buffer)
            guard count > 0 else { return writer.finish() }
            buffer.withUnsafeBytes { writer.append(contentsOf: UnsafeRawBufferPointer(rebasing: $0[..<count])) }
        }
    }

    /// Says what is read where that is a terminal, before which the user may not know that he is waited for.
    private static func mentionTerminal(_ what: String) {
        guard isatty(STDIN_FILENO) != 0 else { return }
        Complaint.write("\(what), which is the terminal: Ctrl-D at the beginning of a line ends it")
    }

    /// Reads some of it; 0 at its end.
    fileprivate static func readInput(into buffer: inout [UInt8]) throws(UsageError) -> Int {
        // A script that has read a line has made the C library read more than that.
        let ahead = dlp_take_read_ahead(&buffer, buffer.count)
        if ahead > 0 { return ahead }
        while true {
            let count = read(0, &buffer, buffer.count)
            if count >= 0 { return count }
            if errno != EINTR {
                throw UsageError("standard input cannot be read: \(String(cString: strerror(errno)))")
            }
        }
    }
}

/// Cuts what it reads into lines without their newlines, each an encoded string.
private struct LineSplitter {
    private var buffer = [UInt8](repeating: 0, count: 1 << 16)
    /// The beginning of a line whose end has not been read yet.
    private var rest: [UInt8] = []
    private var isAtEnd = false

    /// The lines that the next piece of input completes, at least one; nil at the end.
    ///
    /// - Throws: `UsageError` where it cannot be read.
    mutating func read() throws(UsageError) -> [Bytes]? {
        while !isAtEnd {
            let count = try LineReader.readInput(into: &buffer)
            guard count > 0 else {
                isAtEnd = true
                return rest.isEmpty ? nil : [encoded(rest[...])]
            }
            let lines = split(buffer[..<count])
            if !lines.isEmpty { return lines }
        }
        return nil
    }

    private mutating func split(_ piece: ArraySlice<UInt8>) -> [Bytes] {
        var lines: [Bytes] = []
        var start = piece.startIndex
        while let end = piece[start...].firstIndex(of: UInt8(ascii: "\n")) {
            if rest.isEmpty {
                lines.append(encoded(piece[start..<end]))
            } else {
                rest += piece[start..<end]
                lines.append(encoded(rest[...]))
                rest.removeAll(keepingCapacity: true)
            }
            start = end + 1
        }
        rest += piece[start...]
        return lines
    }

    private func encoded(_ line: ArraySlice<UInt8>) -> Bytes {
        var writer = ByteWriter(capacity: line.count + 9)
        line.withUnsafeBytes { writer.appendString($0) }
        return writer.finish()
    }
}
