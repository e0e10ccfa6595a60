import TestSupport
import Testing

/// Input and output of ranks.
@Suite(.hangLimit)
struct OutputTests {
    @Test("a reader that is always behind does not make the memory grow")
    func slowReader() throws {
        let rank = "head -c 100000000 /dev/zero; awk '/VmHWM/ {print $2 * 1}' /proc/$PPID/status >&2"
        let reader = "import os, time\nwhile os.read(0, 65536): time.sleep(0.0005)"
        let outcome = try run("bash -c", "ameexec sh -c \"$0\" | python3 -c \"$1\"", rank, reader)
        let peak = try #require(Int(outcome.error.filter { $0.isNumber }), "\(outcome)")
        #expect(peak > 1000 && peak < 40_000)
    }

    @Test("every line that a rank prints arrives whole")
    func wholeLines() throws {
        // A line consists of its rank, its number, its length, and that many letters; some lines are long.
        let scratch = try Scratch(
            job: """
                local letter = ("abcd"):sub(dlp.RANK + 1, dlp.RANK + 1)
                for n = 1, 10000 do
                  local length = n % 100 == 0 and math.random(20000) or math.random(0, 80)
                  print(dlp.RANK, n, length, letter:rep(length))
                end
                """)
        let outcome = try run("ameexec -np 4 dlp-lua job.lua", in: scratch)
        var next = [1, 1, 1, 1]
        var broken = 0
        for line in outcome.bytes.split(separator: UInt8(ascii: "\n")) {
            let fields = line.split(separator: UInt8(ascii: "\t"), omittingEmptySubsequences: false)
            let numbers = fields.prefix(3).compactMap { Int(String(decoding: $0, as: UTF8.self)) }
            guard fields.count == 4, numbers.count == 3, (0..<4).contains(numbers[0]), numbers[1] == next[numbers[0]],
                fields[3].count == numbers[2], fields[3].allSatisfy({ Int($0) == 97 + numbers[0] })
            else {
                broken += 1
                continue
            }
            next[numbers[0]] += 1
        }
        #expect(broken == 0)
        #expect(next == [10001, 10001, 10001, 10001])
        #expect(outcome.error == "" && outcome.status == 0)
    }

    @Test("standard input is the root's alone", arguments: ["ameexec -np 3 dlp-lua", "dlp-lua -np 3"])
    func input(_ command: String) throws {
        let outcome = try run("\(command) -e", "print(dlp.RANK, io.read('a'))", input: "for the root")
        #expect(outcome.lines.sorted() == ["0\tfor the root", "1\t", "2\t"])
        #expect(outcome.error == "" && outcome.status == 0)
    }

    @Test("standard error of a script is passed on")
    func standardError() throws {
        let outcome = try run("ameexec -np 2 dlp-lua -e", "io.stderr:write('rank ', dlp.RANK, '\\n')")
        #expect(outcome.error.split(separator: "\n").sorted() == ["rank 0", "rank 1"])
        #expect(outcome.output == "" && outcome.status == 0)
    }

    @Test(
        "output that cannot be written is an error, not silence",
        arguments: [
            "function examples() return 3 end function work(n) return n end", "print('lost')", "io.write('lost')",
        ],
        ["dlp-lua", "dlp-lua -np 2", "ameexec -np 2 dlp-lua"])
    func full(_ script: String, _ command: String) throws {
        let scratch = try Scratch(job: script)
        let outcome = try run("sh -c", "\(command) job.lua > /dev/full", in: scratch)
        #expect(
            outcome.error.contains("cannot write") || outcome.error.contains("could not be written")
                || outcome.error.contains("cannot pass on the ranks' output"), "\(outcome.error)")
        #expect(outcome.error.split(separator: "\n").count == 1, "\(outcome.error)")
        #expect(outcome.status == 2)
    }

    @Test(
        "a reader that leaves early ends the job without a word too many",
        arguments: ["dlp-lua", "ameexec -np 2 dlp-lua"])
    func earlyReader(_ command: String) throws {
        let scratch = try Scratch(job: "function examples() return 200000 end function work(n) return n end")
        let outcome = try run("sh -c", "\(command) job.lua | head -n 2", in: scratch)
        #expect(outcome.lines == ["1", "2"])
        #expect(outcome.error.split(separator: "\n").count <= 1, "\(outcome.error)")
        #expect(!outcome.error.contains("Fatal error"))
    }

    @Test(
        "progress without a terminal is whole lines, the last of which sums up",
        arguments: ["dlp-lua", "ameexec -np 3 dlp-lua"])
    func progress(_ command: String) throws {
        let scratch = try Scratch(
            job:
                "function examples() return 30 end function work(n) os.execute('sleep 0.02') return n end function summarize() end"
        )
        let outcome = try run("\(command) --progress on job.lua", in: scratch)
        let lines = outcome.error.split(separator: "\n", omittingEmptySubsequences: false)
        #expect(
            lines.last == "" && !outcome.error.contains("\r") && !outcome.error.contains("\u{1B}"), "\(outcome.error)")
        #expect(lines.dropLast().last?.contains("30 examples") == true, "\(outcome.error)")
        #expect(outcome.output == "" && outcome.status == 0)
    }

    @Test(
        "without a terminal there is no progress unless it is asked for",
        arguments: ["", "--progress auto ", "--progress off "])
    func noProgress(_ option: String) throws {
        let scratch = try Scratch(
            job:
                "function examples() return 30 end function work(n) os.execute('sleep 0.02') end function summarize() end"
        )
        let outcome = try run("ameexec -np 3 dlp-lua \(option)job.lua", in: scratch)
        #expect(outcome.error == "" && outcome.output == "" && outcome.status == 0)
    }
}
