import DLP
import Glibc
import Testing

@testable import Report

/// A sink that remembers what it was told.
final class RecordingSink: ProgressSink {
    enum Event: Equatable { case status(String), line(String) }

    let columns: Int?
    private(set) var events: [Event] = []

    init(columns: Int?) { self.columns = columns }

    func show(status: String) { events.append(.status(status)) }
    func print(line: String) { events.append(.line(line)) }
}

/// A pseudo-terminal: what is written to `slave` is what a person would see at `master`.
final class PseudoTerminal {
    let master: Int32
    let slave: Int32

    init(columns: UInt16 = 80) throws {
        // What posix_openpt, unlockpt and ptsname do, whose declarations Swift does not see.
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

    /// Everything that arrived since the last time; the terminal's own carriage returns before newlines are left out.
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

/// What `body` throws, as the sentence that a user sees.
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
