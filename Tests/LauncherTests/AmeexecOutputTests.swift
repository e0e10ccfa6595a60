import Glibc
import TestSupport
import Testing

@Suite("What ameexec passes on", .serialized, .hangLimit)
struct AmeexecOutputTests {
    @Test("lines of ranks that write at the same time stay whole")
    func wholeLines() throws {
        // Each line consists only of its rank's letter. Lengths vary up to 100 kB, and the pieces are written at
        // random.
        let script = """
            import os, random
            rank = int(os.environ["AME_RANK"])
            letter = b"abcd"[rank:rank + 1]
            numbers = random.Random(rank)
            lines = [letter * (numbers.randrange(1, 100000) if i % 500 == 0 else numbers.randrange(1, 80)) + b"\\n"
                     for i in range(10000)]
            text = b"".join(lines)
            while text:
                count = os.write(1, text[:numbers.randrange(1, 9000)])
                text = text[count:]
            """
        let outcome = try ameexec("-np", "4", "python3", "-c", script)
        #expect(outcome.status == 0)
        var counts: [UInt8: Int] = [:]
        var mixed = 0
        for line in Array(outcome.output.utf8).split(separator: UInt8(ascii: "\n")) {
            if line.contains(where: { $0 != line.first }) { mixed += 1 }
            counts[line.first ?? 0, default: 0] += 1
        }
        #expect(mixed == 0)
        #expect(counts.count == 4 && counts.values.allSatisfy { $0 == 10_000 }, "\(counts)")
    }

    @Test("no byte is added to what one rank writes", arguments: ["abc", "abc\n", "", "a\n\nb"])
    func exactBytes(_ text: String) throws {
        #expect(try ameexec("printf", "%s", text) == Outcome(status: 0, output: text, error: ""))
    }

    @Test("an unfinished line is ended for the next rank's")
    func unfinishedLines() throws {
        let outcome = try ameexec("-np", "2", "sh", "-c", "printf $AME_RANK")
        #expect(["0\n1", "1\n0"].contains(outcome.output))
    }

    @Test("tags name the rank in each line of both streams")
    func tags() throws {
        let outcome = try ameexec("-np", "2", "--tag-output", "sh", "-c", "echo a; printf b; echo c >&2")
        #expect(outcome.output.split(separator: "\n").sorted() == ["[0] a", "[0] b", "[1] a", "[1] b"])
        #expect(outcome.output.hasSuffix("\n"))
        #expect(outcome.error.split(separator: "\n").sorted() == ["[0] c", "[1] c"])
    }

    @Test("50 MB without a newline go through as they are")
    func longLine() throws {
        let outcome = try ameexec("sh", "-c", "ameexec=; head -c 50000000 /dev/zero | tr '\\0' x")
        #expect(outcome.output.utf8.count == 50_000_000)
        #expect(outcome.output.utf8.allSatisfy { $0 == UInt8(ascii: "x") })
    }

    @Test("a rank that stops within a long line does not block another one for ever")
    func interruptedLongLine() throws {
        // Rank 0 goes on only after rank 1 has written more than a pipe and its backlog hold.
        let script = """
            import os, socket
            name = "\\0test-" + os.environ["AME_SOCKET"]
            meeting = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            other = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            if os.environ["AME_RANK"] == "0":
                meeting.bind(name)
                text = b"a" * 3000000
                while text: text = text[os.write(1, text):]
                open(os.environ["READY"], "w").close()
                meeting.recv(1)
                os.write(1, b"end\\n")
            else:
                while not os.path.exists(os.environ["READY"]): pass
                for i in range(20000): os.write(1, b"b" * 99 + b"\\n")
                other.sendto(b"x", name)
            """
        let ready = "/tmp/ameexec-test-ready-\(getpid())"
        defer { unlink(ready) }
        let outcome = try ameexec("-np", "2", "-x", "READY=\(ready)", "python3", "-c", script)
        #expect(outcome.status == 0)
        #expect(outcome.error == "")
        let lines = outcome.output.split(separator: "\n")
        #expect(lines.filter { $0 == String(repeating: "b", count: 99) }.count == 20_000)
        #expect(lines.first?.utf8.count == 3_000_000)
        #expect(lines.contains("end"))
    }

    @Test("when nobody reads any more the job ends without a word, with the status of SIGPIPE")
    func closedPipe() throws {
        let outcome = try nested("{ $AMEEXEC -np 2 yes; echo $? >&2; } | head -n 1")
        #expect(outcome == Outcome(status: 0, output: "y\n", error: "141\n"))
    }

    @Test("a slow reader makes the ranks wait; nothing is lost")
    func slowReader() throws {
        let outcome = try nested(
            "$AMEEXEC -np 2 sh -c 'head -c 20000000 /dev/zero | tr \"\\0\" \"\\n\"' | { sleep 0.5; wc -l; }")
        #expect(outcome.output == "40000000\n")
    }

    @Test("output that cannot be written ends the job with a message", arguments: ["yes", "echo"])
    func fullDevice(command: String) throws {
        let outcome = try nested("$AMEEXEC \(command) >/dev/full")
        #expect(outcome.status == 2)
        #expect(
            outcome.error
                == "ameexec: cannot pass on the ranks' output: No space left on device; the job is ended\n")
    }

    @Test("what a reader at the end of a rank's pipe writes shortly after the rank's end is passed on")
    func lateWriter() throws {
        #expect(try ameexec("sh", "-c", "(sleep 0.05; echo late) & echo early").output == "early\nlate\n")
    }

    /// Runs a shell script in which `$AMEEXEC` is the program under test.
    private func nested(_ script: String) throws -> Outcome {
        try ameexec("sh", "-c", "AMEEXEC=$(readlink /proc/$PPID/exe); " + script)
    }
}
