import DLP
import Glibc
import Testing

@testable import Report

/// A sink that records what it is told.
final class RecordingSink: ProgressSink {
    enum Event: Equatable { case status(String), line(String) }

    let columns: Int?
    private(set) var events: [Event] = []

    init(columns: Int?) { self.columns = columns }

    func show(status: String) { events.append(.status(status)) }
    func print(line: String) { events.append(.line(line)) }
}

/// A pseudo-terminal: what is written to `slave` can be read at `master`, as a user would see it.
final class PseudoTerminal {
    let master: Int32
    let slave: Int32

    init(columns: UInt16 = 80) throws {
        // Does what posix_openpt, unlockpt and ptsname do; Swift does not see their declarations.
        let (unlock, number): (UInt, UInt) = (0x4004_5431, 0x8004_5430)
        master = open("/dev/ptmx", O_RDWR | O_NOCTTY)
        var locked: Int32 = 0
        var name: Int32 = -1
        try #require(ioctl(master, unlock, &locked) == 0 && ioctl(master, number, &name) == 0)
        slave = open("/dev/pts/\(name)", O_RDWR | O_NOCTTY)
        try #require(slave >= 0)
        var size = winsize(ws_row: 24, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0)
        try #require(ioctl(slave, UInt(TIOCSWINSZ), &size) == 0)
        _ = fcntl(master, F_SETFL, O_NONBLOCK)
    }

    /// Returns everything that has arrived since the last call, without the carriage returns that the terminal adds
    /// before newlines.
    func read() -> String {
        var text: [UInt8] = []
        var buffer = Array(repeating: UInt8(0), count: 1 << 16)
        while true {
            let count = Glibc.read(master, &buffer, buffer.count)
            guard count > 0 else { break }
            text += buffer[..<count]
        }
        return String(decoding: text, as: UTF8.self).split(separator: "\r\n", omittingEmptySubsequences: false)
            .joined(separator: "\n")
    }

    deinit {
        close(master)
        close(slave)
    }
}

/// Returns the sentence for the user of the error that `body` throws.
func message(of body: () throws -> Void) -> String? {
    do { try body() } catch { return "\(error)" }
    return nil
}

// Names of files are plain text in these tests.

extension ResultWriter {
    init(path: String) throws(ReportError) { try self.init(path: SystemString(path)) }
}

extension ResultFormat {
    init(path: String) throws(ReportError) { try self.init(path: SystemString(path)) }
}

extension TimelineFile {
    convenience init(path: String, title: String, ranks: Int, start: UInt64) throws(ReportError) {
        try self.init(path: SystemString(path), title: title, ranks: ranks, start: start)
    }
}
