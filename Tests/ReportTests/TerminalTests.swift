import DLP
import Glibc
import Testing

@testable import Report

@Suite("What a terminal shows")
struct TerminalTests {
    private static let erase = "\u{1b}[K"

    private func write(_ text: String, to descriptor: Int32) {
        var text = text
        text.withUTF8 { #expect(writeFully(UnsafeRawBufferPointer($0), to: descriptor) == 0) }
    }

    @Test("a status is redrawn in place, and only when it has changed")
    func status() throws {
        let terminal = try PseudoTerminal(columns: 80)
        let output = StatusOutput(descriptor: terminal.slave)
        #expect(output.columns == 79)
        output.show(status: "1 of 2")
        output.show(status: "1 of 2")
        output.show(status: "2 of 2")
        #expect(terminal.read() == "\r1 of 2\(Self.erase)\r2 of 2\(Self.erase)")
        output.show(status: "")
        #expect(terminal.read() == "\r\(Self.erase)")
    }

    @Test("a line is printed above the status")
    func line() throws {
        let terminal = try PseudoTerminal()
        let output = StatusOutput(descriptor: terminal.slave)
        output.print(line: "first")
        output.show(status: "half")
        output.print(line: "second")
        #expect(terminal.read() == "first\n\rhalf\(Self.erase)\r\(Self.erase)second\n\rhalf\(Self.erase)")
    }

    @Test("a descriptor that is no terminal gets lines and no status")
    func file() throws {
        var ends: [Int32] = [-1, -1]
        try #require(pipe(&ends) == 0)
        defer { ends.forEach { close($0) } }
        let output = StatusOutput(descriptor: ends[1])
        #expect(output.columns == nil)
        output.show(status: "half")
        output.print(line: "line")
        var buffer = Array(repeating: UInt8(0), count: 64)
        let count = read(ends[0], &buffer, buffer.count)
        #expect(String(decoding: buffer[..<count], as: UTF8.self) == "line\n")
    }

    @Test("what the script prints appears above the status, whole lines and prompts")
    func guarded() throws {
        let terminal = try PseudoTerminal()
        let (out, err) = (dup(terminal.slave), dup(terminal.slave))
        defer {
            close(out)
            close(err)
        }
        guard let guardian = TerminalGuard(standardOutput: out, standardError: err) else {
            Issue.record("the guard refused")
            return
        }
        #expect(isatty(out) == 0 && isatty(err) == 0)
        guardian.output.show(status: "half")
        write("one\n", to: out)
        guardian.drain()
        #expect(terminal.read() == "\rhalf\(Self.erase)\r\(Self.erase)one\n\rhalf\(Self.erase)")

        write("name? ", to: err)
        guardian.drain()
        #expect(terminal.read() == "\r\(Self.erase)name? ")
        guardian.output.show(status: "more")
        #expect(terminal.read() == "")
        write("thanks\n", to: out)
        guardian.drain()
        #expect(terminal.read() == "thanks\n\rmore\(Self.erase)")

        write("last", to: out)
        guardian.output.show(status: "")
        guardian.stop()
        #expect(terminal.read() == "\r\(Self.erase)last")
        #expect(isatty(out) == 1 && isatty(err) == 1)
        write("direct", to: out)
        #expect(terminal.read() == "direct")
    }

    @Test("a warning does not continue an unfinished line")
    func unfinished() throws {
        let terminal = try PseudoTerminal()
        let out = dup(terminal.slave)
        defer { close(out) }
        guard let guardian = TerminalGuard(standardOutput: out, standardError: out) else {
            Issue.record("the guard refused")
            return
        }
        write("name? ", to: out)
        guardian.drain()
        guardian.output.print(line: "warning: rank 3 died")
        guardian.stop()
        #expect(terminal.read() == "name? \nwarning: rank 3 died\n")
    }

    @Test("output that does not go to the terminal of the status is left alone")
    func redirected() throws {
        let terminal = try PseudoTerminal()
        let err = dup(terminal.slave)
        let file = open("/dev/null", O_WRONLY)
        defer {
            close(err)
            close(file)
        }
        #expect(TerminalGuard(standardOutput: err, standardError: file) == nil ? true : false)
        guard let guardian = TerminalGuard(standardOutput: file, standardError: err) else {
            Issue.record("the guard refused")
            return
        }
        var status = stat()
        #expect(fstat(file, &status) == 0 && status.st_mode & S_IFMT == S_IFCHR)
        guardian.stop()
    }
}
