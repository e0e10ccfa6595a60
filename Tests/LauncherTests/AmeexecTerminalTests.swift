import Glibc
import TestSupport
import Testing

@Suite("ameexec on a terminal", .serialized, .hangLimit)
struct AmeexecTerminalTests {
    @Test("the rank of --pty reads the terminal, and its prompts are seen before it has an answer")
    func prompt() throws {
        let terminal = try Terminal()
        let launched = try Launched(
            [
                "-np", "2", "--pty", "1", "sh", "-c",
                "[ $AME_RANK = 0 ] || { printf 'Name? '; read name; echo Hi $name.; }",
            ],
            terminal: terminal)
        try terminal.waitFor("Name? ")
        terminal.type("Ada\n")
        try terminal.waitFor("Hi Ada.")
        #expect(try launched.wait() == 0)
    }

    @Test("without --pty no rank reads the terminal")
    func noInput() throws {
        let terminal = try Terminal()
        let launched = try Launched(["-np", "2", "sh", "-c", "cat; echo end$AME_RANK"], terminal: terminal)
        #expect(try launched.wait() == 0)
        #expect(terminal.update().contains("end0") && terminal.update().contains("end1"))
    }

    @Test("Ctrl-C reaches every rank, once")
    func interrupt() throws {
        let terminal = try Terminal()
        let script = """
            import os, signal, time
            count = 0
            def handler(*_):
                global count
                count += 1
            signal.signal(signal.SIGINT, handler)
            os.write(1, b"ready\\n")
            while count == 0: time.sleep(0.01)
            time.sleep(0.3)
            os.write(1, b"rank %s: %d\\n" % (os.environ["AME_RANK"].encode(), count))
            """
        let launched = try Launched(["-np", "2", "--pty", "0", "python3", "-c", script], terminal: terminal)
        try eventually("both are ready") { terminal.update().ranges(of: "ready").count == 2 }
        terminal.type("\u{3}")
        #expect(try launched.wait() == 0)
        #expect(terminal.update().contains("rank 0: 1") && terminal.update().contains("rank 1: 1"))
    }

    @Test("the status line stands below the output, is cut to the width, and is gone at the end")
    func statusLine() throws {
        let terminal = try Terminal(columns: 20)
        let script = """
            import os, socket, sys
            control = socket.socket(fileno=int(os.environ["AME_CONTROL_FD"]))
            control.send(b"status 50 percent of all the examples")
            sys.stdin.readline()
            print("a line", os.environ["AME_COLUMNS"], flush=True)
            sys.stdin.readline()
            """
        let launched = try Launched(["--pty", "0", "python3", "-c", script], terminal: terminal)
        let line = "\u{1B}[?7l50 percent of all t\u{1B}[?7h"
        try terminal.waitFor(line)
        terminal.type("\n")
        try terminal.waitFor("\r\u{1B}[Ka line 20\r\n" + line)
        terminal.type("\n")
        #expect(try launched.wait() == 0)
        #expect(terminal.update().hasSuffix("\r\u{1B}[K"), "\(terminal.screen.debugDescription)")
    }

    @Test("Ctrl-Z where nobody could continue the job does not stop it")
    func orphan() throws {
        let terminal = try Terminal()
        let launched = try Launched(["sh", "-c", "echo ready; sleep 0.3; echo done"], terminal: terminal)
        try terminal.waitFor("ready")
        terminal.type("\u{1A}")
        #expect(try launched.wait() == 0)
        #expect(terminal.update().contains("done"))
    }
}
