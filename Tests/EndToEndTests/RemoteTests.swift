import Glibc
import TestSupport
import Testing

/// Jobs on hosts that one of them reaches by ssh.
@Suite("Ranks on other hosts by ssh", .hangLimit)
struct RemoteTests {
    // MARK: - Right results

    @Test(
        "four ranks on two hosts say what four on one machine say, wherever rank 0 is",
        arguments: ["h1:2,h2:2", "h2:2,h1:2"])
    func digits(_ list: String) throws {
        let run = try RemoteRun()
        let job = Program.example("digits.lua")
        let outcome = try run.start("dlp-lua --hosts \(list) \(job)").finish()
        let expected = try EndToEndTests.run("dlp-lua -np 4 \(job)")
        #expect(outcome.status == 0 && outcome.error == "", "\(outcome.error)")
        #expect(outcome.bytes == expected.bytes)
        try run.isClean(1, 2)
    }

    @Test("two hosts have a hundred ranks each, and every rank its place")
    func many() throws {
        let run = try RemoteRun(
            """
            function examples() return 4000 end
            function work(n) return {dlp.RANK, dlp.LOCAL_RANK, dlp.LOCAL_SIZE, dlp.hostname} end
            function summarize(results)
              local seen, ranks = {}, 0
              for _, r in ipairs(results) do
                if not seen[r[1]] then
                  ranks = ranks + 1
                  seen[r[1]] = true
                end
                local host = r[1] < 100 and "h2" or "h1"
                assert(r[2] == r[1] % 100 and r[3] == 100 and r[4] == host, table.concat(r, " "))
              end
              print(results.n, dlp.SIZE, dlp.hostname, ranks > 1)
            end
            """)
        let outcome = try run.start("dlp-lua --hosts h2:100,h1:100 --chunk 1 job.lua").finish()
        #expect(outcome.output == "4000\t200\th2\ttrue\n")
        #expect(outcome.status == 0 && outcome.error == "", "\(outcome.error)")
        try run.isClean(1, 2)
    }

    @Test("lines stay whole and tagged, and come all, however slow the reader is")
    func lines() throws {
        let run = try RemoteRun()
        try run.scratch.write(
            "print.sh", "for i in $(seq 3000); do echo $AME_RANK $i $(printf %0$((i % 200))d 0) end; done\n")
        let outcome = try run.start("ameexec --hosts h1:2,h2:3 --tag-output sh print.sh").finish()
        #expect(outcome.status == 0 && outcome.error == "", "\(outcome.error)")
        #expect(outcome.lines.count == 15000)
        var next = [Int](repeating: 1, count: 5)
        for line in outcome.lines {
            let words = line.split(separator: " ")
            guard words.count >= 4, words.last == "end", let rank = Int(words[1]), words[0] == "[\(rank)]",
                Int(words[2]) == next[rank]
            else {
                Issue.record("a line is not whole, or not the next: \(line)")
                return
            }
            next[rank] += 1
        }
        // The reader stops, and reads on when all pipes are full.
        try run.scratch.write(
            "slow.sh", "ameexec --hosts h2:2 head -c 3000000 /dev/zero | { sleep 1; tr -d '\\n' | wc -c; }\n")
        #expect(try run.start("sh slow.sh").finish().output == "6000000\n")
        try run.scratch.write("none.sh", "ameexec --hosts h2:2 head -c 3000000 /dev/zero | head -c 1 | wc -c\n")
        #expect(try run.start("sh none.sh").finish().output == "1\n")
        try run.isClean(1, 2)
    }

    @Test("rank 0 reads standard input, wherever it is, and others none", arguments: ["h1,h2", "h2,h1"])
    func input(_ hosts: String) throws {
        let run = try RemoteRun()
        try run.scratch.write("count.sh", "echo $AME_RANK $(wc -c)\n")
        let input = String(repeating: "0123456789abcde\n", count: 100_000)
        let list = hosts.split(separator: ",").map { "\($0):1" }.joined(separator: ",")
        let outcome = try run.start("ameexec --hosts \(list) sh count.sh", input: input).finish()
        #expect(outcome.lines.sorted() == ["0 1600000", "1 0"], "\(outcome.error)")
        let job = try RemoteRun("function work(line) return #line end function summarize(r) print(r.n, r[1]) end")
        let result = try job.start("dlp-lua --hosts \(list) job.lua", input: input).finish()
        #expect(result.output == "100000\t15\n", "\(result.error)")
    }

    @Test("standard input that cannot be read ends the job")
    func unreadableInput() throws {
        let run = try RemoteRun()
        try run.scratch.write("start.sh", "exec ameexec --hosts h2:1 cat < .\n")
        let outcome = try run.start("sh start.sh").finish()
        #expect(
            outcome.status == 2
                && outcome.isOneMessage("ameexec", with: "cannot read standard input: Is a directory"), "\(outcome)")
        try run.isClean(1, 2)
    }

    @Test("a program gets directory, arguments and exported variables as they are")
    func environment() throws {
        let run = try RemoteRun()
        try run.scratch.write("show.sh", "printf '%s|' \"$PWD\" \"$A\" \"$B\" \"$DLP_X\" \"$HIDDEN\" \"$@\"; echo\n")
        try run.scratch.write(
            "start.sh", "exec ameexec --hosts h2:1 -x A='a b' -x B sh show.sh '' \"q'\\\"$(printf '\\377')\" '*'\n")
        let outcome = try run.start("sh start.sh", ["B": "b", "DLP_X": "x", "HIDDEN": "h"]).finish()
        let expected = Array("\(run.scratch.path)|a b|b|x|||q'\"".utf8) + [0xFF] + Array("|*|\n".utf8)
        #expect(outcome.bytes == expected, "\(outcome.output) \(outcome.error)")
    }

    // MARK: - Failures

    @Test("the status is that of the rank that failed first, and a signal is told with its host")
    func status() throws {
        let run = try RemoteRun()
        try run.scratch.write("fail.sh", "test $AME_RANK = 2 && exit 7; sleep 100\n")
        let failed = try run.start("ameexec --hosts h1:2,h2:2 sh fail.sh").finish()
        #expect(failed.status == 7 && failed.error == "", "\(failed.error)")
        try run.scratch.write("crash.sh", "test $AME_RANK = 3 && kill -SEGV $$; sleep 100\n")
        let crashed = try run.start("ameexec --hosts h1:2,h2:2 sh crash.sh").finish()
        #expect(crashed.status == 139)
        #expect(crashed.isOneMessage("ameexec", with: "rank 3", "host h2", "signal 11"), "\(crashed.error)")
        try run.isClean(1, 2)
    }

    @Test("what is wrong with a host is told in one line, before anything has been done")
    func wrongHosts() throws {
        let run = try RemoteRun()
        func refuses(_ words: String, _ status: Int32, _ message: String..., environment: [String: String] = [:]) throws
        {
            let outcome = try run.start("ameexec \(words)", environment).finish()
            #expect(outcome.status == status && outcome.output == "", "\(words): \(outcome.error)")
            let lines = outcome.error.split(separator: "\n")
            #expect(lines.count == 1 && message.allSatisfy { outcome.error.contains($0) }, "\(words): \(outcome.error)")
        }
        try run.scratch.write("touch.sh", "touch done\n")
        try refuses("--hosts h1:2,nowhere:2 sh touch.sh", 3, "host nowhere cannot be reached by ssh", "nowhere")
        try refuses("--hosts h2:2 no-such-program", 2, "no-such-program")
        try refuses(
            "--hosts h1:1,h2:1 --remote-path /nowhere sh touch.sh", 2, "host h2", "/nowhere/ameexec", "--remote-path")
        // Keys that are not accepted, where ssh would ask for a password.
        try refuses(
            "--hosts h2:2 sh touch.sh", 3, "host h2 cannot be reached", "Permission denied",
            environment: ["DLP_SSH": "\(run.hosts.ssh) -oPubkeyAuthentication=no"])
        try run.scratch.write(
            "ameexec",
            "#!/bin/sh\nprintf '\\0dlp-agent\\n\\016\\0\\0\\0\\001\\005\\0\\0\\0\\0\\0\\0\\09.9.9'\nexec cat\n")
        chmod("\(run.scratch.path)/ameexec", 0o755)
        try refuses("--hosts h2:2 --remote-path \(run.scratch.path) sh touch.sh", 2, "host h2", "version 9.9.9")
        try run.scratch.write("ameexec", "#!/bin/sh\necho 'ameexec: there is no option --agent' >&2\nexit 2\n")
        try refuses(
            "--hosts h2:2 --remote-path \(run.scratch.path) sh touch.sh", 2, "host h2 has another version", "install")
        try run.scratch.write("ameexec", "#!/bin/sh\necho welcome\n")
        try refuses("--hosts h2:2 --remote-path \(run.scratch.path) sh touch.sh", 3, "host h2 has started no agent")
        try run.scratch.write("ameexec", "#!/bin/sh\nexec cat /dev/zero\n")
        try refuses("--hosts h2:2 --remote-path \(run.scratch.path) sh touch.sh", 3, "host h2", "not as an agent")
        try refuses("--hosts h1:1,h2:1 -np 3 sh touch.sh", 2, "2 places")
        try refuses("--hosts h1:1,h2:1 --pty 2 sh touch.sh", 2, "no rank 2")
        try refuses("--hosts h1:4194304,h2:4194304 sh touch.sh", 2, "cannot start 8388608 ranks: this machine numbers")
        try refuses("--hosts h1:x sh touch.sh", 2, "--hosts")
        try refuses("--hostfile none sh touch.sh", 2, "none")
        try refuses("--hosts h2 --hostfile none sh touch.sh", 2, "--hostfile")
        #expect(!run.scratch.names.contains("done"))
        try run.isClean(1, 2)
    }

    /// Invalid messages, sent after the preamble of an agent.
    static let nonsense: [[UInt8]] = [
        // The end of a rank, output of a rank that was never started, a frame of 4 GB, an unknown kind.
        [17, 0, 0, 0, 7] + [UInt8](repeating: 0, count: 16), [25, 0, 0, 0, 6] + [UInt8](repeating: 0, count: 24),
        [255, 255, 255, 255, 6], [1, 0, 0, 0, 200],
        // Readiness, a place to listen and a refusal, all before the agent was asked.
        [9, 0, 0, 0, 2] + [UInt8](repeating: 0, count: 8), [9, 0, 0, 0, 12, 1] + [UInt8](repeating: 0, count: 7),
        [9, 0, 0, 0, 3] + [UInt8](repeating: 0, count: 8),
    ]

    @Test("an agent that says what makes no sense is no host, and takes nothing down with it", arguments: nonsense)
    func hostileAgent(_ words: [UInt8]) throws {
        let run = try RemoteRun()
        func field(_ text: String) -> [UInt8] { [UInt8(text.utf8.count), 0, 0, 0, 0, 0, 0, 0] + Array(text.utf8) }
        let version = try #require(EndToEndTests.run("ameexec --version").lines[0].split(separator: " ").last)
        let hello = [1] + field(String(version)) + field("x") + field("h") + [8, 0, 0, 0, 0, 0, 0, 0]
        let bytes = Array("\0dlp-agent\n".utf8) + [UInt8(hello.count), 0, 0, 0] + hello + words
        try run.scratch.write("words", bytes: bytes)
        try run.scratch.write("ameexec", "#!/bin/sh\ncat \(run.scratch.path)/words\nexec cat >/dev/null\n")
        chmod("\(run.scratch.path)/ameexec", 0o755)
        let outcome = try run.start("ameexec --hosts h1:1,h2:2 --remote-path \(run.scratch.path) true").finish()
        #expect(outcome.status == 3)
        #expect(outcome.isOneMessage("ameexec", with: "host h2 has sent what makes no sense"), "\(outcome.error)")
        try run.isClean(1, 2)
    }

    @Test("hosts come from a file and from batch systems")
    func lists() throws {
        let run = try RemoteRun()
        try run.scratch.write("rank.sh", "echo $AME_RANK $(hostname)\n")
        try run.scratch.write("hosts", "# ours\nh2 slots=2\nh1:1\n")
        try run.scratch.write("nodes", "h1\nh2\nh1\n")
        let expected = ["0 h2", "1 h2", "2 h1"]
        #expect(try run.start("ameexec --hostfile hosts sh rank.sh").finish().lines.sorted() == expected)
        let batch = try run.start("ameexec --hosts auto sh rank.sh", ["PBS_NODEFILE": "nodes"]).finish()
        #expect(batch.lines.sorted() == ["0 h1", "1 h1", "2 h2"], "\(batch.error)")
        let slurm = ["SLURM_JOB_NODELIST": "h[1-2]", "SLURM_TASKS_PER_NODE": "1(x2)"]
        let allocation = try run.start("ameexec --hosts auto sh rank.sh", slurm).finish()
        #expect(allocation.lines.sorted() == ["0 h1", "1 h2"], "\(allocation.error)")
    }

    // MARK: - Secrets

    @Test("the key stands on no command line, and in nobody's environment but the ranks'")
    func key() throws {
        let run = try RemoteRun()
        try run.scratch.write("key.sh", "echo $AME_AUTHKEY > key.$AME_RANK; touch $AME_RANK; exec sleep 987\n")
        let launched = try run.start("ameexec --hosts h1:1,h2:1 sh key.sh")
        try launched.reaches("all ranks run") { Set(run.scratch.names).isSuperset(of: ["0", "1"]) }
        let key = try #require(run.scratch.read("key.0")).split(separator: "\n").joined()
        #expect(key.count == 88 && run.scratch.read("key.1") == "\(key)\n")
        // The hosts' processes are also processes of this machine.
        for process in entries(of: "/proc").compactMap({ Int32($0) }) {
            let command = Self.text(of: process, "cmdline")
            #expect(!command.contains(key), "\(command)")
            let environment = Self.text(of: process, "environ")
            #expect(environment.contains("AME_RANK=") || !environment.contains(key), "\(command)")
        }
        try launched.signalLauncher(SIGTERM)
        _ = try launched.finish()
        try run.isClean(1, 2)
    }

    private static func text(of process: Int32, _ name: String) -> String {
        let file = open("/proc/\(process)/\(name)", O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return "" }
        defer { close(file) }
        return String(decoding: contents(of: file), as: UTF8.self)
    }
}
