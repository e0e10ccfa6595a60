import Glibc
import TestSupport
import Testing

/// What happens to jobs on hosts reached by ssh when something breaks, or the user ends them.
@Suite("Accidents of ranks on other hosts", .hangLimit)
struct RemoteAccidentTests {
    /// What a job loses: a host, or a part of the connection with it.
    enum Accident: String, CaseIterable {
        case agent, ssh, sshd, host, rank
    }

    @Test("a job goes on without ranks whose host, agent or connection is lost", arguments: Accident.allCases)
    func accident(_ accident: Accident) throws {
        let run = try RemoteRun(StuckJob.script)
        let launched = try run.start("dlp-lua --hosts h1:2,h2:2 --crash-limit 9 --rejoin 5 job.lua 3")
        try StuckJob.wait(launched, in: run.scratch)
        switch accident {
        case .agent: try run.hosts.kill("KILL", on: 2, "ameexec.--agent")
        case .ssh: try run.hosts.kill("KILL", on: 1, "^ssh.*h2")
        case .sshd: try run.hosts.kill("KILL", on: 2, "^sshd:.root")
        case .host: try run.hosts.crash(2)
        case .rank: try launched.signal(SIGKILL, rank: 3)
        }
        let outcome = try launched.finish()
        #expect(outcome.output == StuckJob.output)
        #expect(outcome.status == 0, "\(outcome.error)")
        // The other rank of the host has nothing to do: the job may have finished before its loss is reported.
        let lost = 1...(accident == .rank ? 1 : 2)
        #expect(
            lost.contains(outcome.complaints.count) && outcome.error.contains("lost rank 3 (host h2)"),
            "\(outcome.error)")
        if accident == .host { try run.isClean(1) } else { try run.isClean(1, 2) }
    }

    @Test("a host that is cut off is lost, and ends its part when it can be reached again or not")
    func cut() throws {
        let run = try RemoteRun(StuckJob.script)
        let launched = try run.start("dlp-lua --hosts h1:2,h2:1 --rejoin 5 job.lua 2")
        try StuckJob.wait(launched, in: run.scratch)
        try run.hosts.cut(2)
        let outcome = try launched.finish()
        #expect(outcome.status == 0 && outcome.output == StuckJob.output, "\(outcome.error)")
        try run.isClean(1)
        try run.hosts.heal(2)
        try run.isClean(2)
    }

    @Test(
        "a program's host that is lost is named, and ends the job with status 3", arguments: ["h1:2,h2:2", "h2:2,h1:2"])
    func lostProgram(_ list: String) throws {
        let run = try RemoteRun()
        try run.scratch.write("sleep.sh", "touch $AME_RANK; exec sleep 987\n")
        let launched = try run.start("ameexec --hosts \(list) sh sleep.sh")
        try launched.reaches("all ranks run") { Set(run.scratch.names).isSuperset(of: ["0", "1", "2", "3"]) }
        try run.hosts.kill("KILL", on: 2, "ameexec.--agent")
        let outcome = try launched.finish()
        #expect(outcome.status == 3)
        let ranks = list.hasPrefix("h1") ? "ranks 2 to 3" : "ranks 0 to 1"
        #expect(outcome.isOneMessage("ameexec", with: "lost host h2 with \(ranks)"), "\(outcome.error)")
        try run.isClean(1, 2)
    }

    @Test("output that is lost after the ranks' end is told, and costs the status 0", arguments: ["agent", "ssh"])
    func lostOutput(_ lost: String) throws {
        let run = try RemoteRun()
        // Fills all buffers between itself and a reader that does not read.
        try run.scratch.write(
            "fill.py",
            """
            import os, select
            os.set_blocking(1, False)
            while select.select([], [1], [], 3)[1]: os.write(1, b"word\\n")
            """)
        try run.scratch.write(
            "job.sh",
            """
            { ameexec --hosts h2:1 --debug python3 fill.py 2> error; echo $? > status; } \\
              | { while ! test -e go; do sleep 0.05; done; cat > /dev/null; }
            """)
        let launched = try run.start("sh job.sh")
        try launched.reaches("the rank ends") { run.scratch.read("error")?.contains("ended with status 0") == true }
        try run.hosts.kill("KILL", on: lost == "agent" ? 2 : 1, lost == "agent" ? "ameexec.--agent" : "^ssh.*h2")
        try launched.reaches("the loss is told") {
            run.scratch.read("error")?.contains("lost the rest of what rank 0 wrote on host h2: the connection broke")
                == true
        }
        try run.scratch.write("go", "")
        _ = try launched.finish()
        #expect(run.scratch.read("status") == "3\n")
        try run.isClean(1, 2)
    }

    @Test("the user's signals reach all ranks, and end the job as on one machine", arguments: [SIGINT, SIGTERM])
    func signals(_ signal: Int32) throws {
        let run = try RemoteRun()
        try run.scratch.write("sleep.sh", "touch $AME_RANK; exec sleep 987\n")
        let launched = try run.start("ameexec --hosts h2:1,h1:1 sh sleep.sh")
        try launched.reaches("all ranks run") { Set(run.scratch.names).isSuperset(of: ["0", "1"]) }
        try launched.signalLauncher(signal)
        let outcome = try launched.finish()
        #expect(outcome.status == 128 + signal)
        #expect(outcome.isOneMessage("ameexec", with: "interrupted"), "\(outcome.error)")
        try run.isClean(1, 2)
    }

    @Test("a job that is interrupted says how far it came")
    func interrupted() throws {
        let run = try RemoteRun(StuckJob.script)
        let launched = try run.start("dlp-lua --hosts h2:2,h1:2 job.lua 3")
        try StuckJob.wait(launched, in: run.scratch)
        try launched.signalLauncher(SIGINT)
        let outcome = try launched.finish()
        #expect(outcome.status == 130, "\(outcome.error)")
        #expect(outcome.isOneMessage("dlp-lua", with: "of 12"), "\(outcome.error)")
        try run.isClean(1, 2)
    }

    @Test("nothing is left where the launcher is killed", arguments: ["ameexec", "dlp-lua"])
    func killed(_ program: String) throws {
        let run = try RemoteRun(StuckJob.script)
        let job =
            program == "ameexec"
            ? "ameexec --hosts h1:2,h2:2 \(Program.shipped)/dlp-lua job.lua 3" : "dlp-lua --hosts h1:2,h2:2 job.lua 3"
        let launched = try run.start(job)
        try StuckJob.wait(launched, in: run.scratch)
        try launched.signalLauncher(SIGKILL)
        #expect(try launched.finish().status == 137)
        try run.isClean(1, 2)
    }

    @Test("processes that leave their rank are ended with the job")
    func leftovers() throws {
        let run = try RemoteRun()
        try run.scratch.write("leave.sh", "setsid sleep 987 & nohup sleep 986 > nohup & sleep 0.2; exit 0\n")
        let outcome = try run.start("ameexec --hosts h1:1,h2:1 sh leave.sh").finish()
        #expect(outcome.status == 0, "\(outcome.error)")
        try run.isClean(1, 2)
    }

    @Test("a job that takes too long is ended on all hosts")
    func timeout() throws {
        let run = try RemoteRun()
        let outcome = try run.start("ameexec --hosts h2:1,h1:1 --timeout 1 sleep 987").finish()
        #expect(outcome.status == 124 && outcome.isOneMessage("ameexec", with: "1 second"), "\(outcome.error)")
        try run.isClean(1, 2)
    }

    // MARK: - Tunnels

    @Test("where only ssh gets through ranks connect by --tunnel", arguments: ["h1:2,h2:2", "h2:2,h1:2,h3:1"])
    func tunnel(_ list: String) throws {
        let run = try RemoteRun(hosts: 3)
        for host in 1...3 { try run.hosts.close(host) }
        let job = Program.example("digits.lua")
        let outcome = try run.start("dlp-lua --hosts \(list) --tunnel \(job)").finish()
        #expect(outcome.status == 0 && outcome.error == "", "\(outcome.error)")
        #expect(outcome.bytes == (try EndToEndTests.run("dlp-lua -np 4 \(job)")).bytes)
        // More than all buffers on the way hold, and a second tunnel end on the same host.
        try run.scratch.write(
            "large.lua",
            """
            function examples()
              local list = {}
              for n = 1, 64 do list[n] = string.rep(string.char(n), 300000) end
              return list
            end
            function work(text) return text .. text end
            function summarize(r) for n = 1, 64 do assert(r[n] == string.rep(string.char(n), 600000)) end print(r.n) end
            """)
        let large = try run.start("dlp-lua --hosts \(list) --tunnel --encrypt --examples root large.lua").finish()
        #expect(large.output == "64\n" && large.status == 0, "\(large.error)")
        let without = try run.start("dlp-lua --hosts \(list) --connect-timeout 2 \(job)").finish()
        #expect(without.status == 3 && without.output == "", "nothing else gets through")
        try run.isClean(1, 2, 3)
    }

    @Test(
        "a job goes on where a tunnel breaks, and ends where it was the root's", arguments: ["h1:2,h2:2", "h2:2,h1:2"])
    func brokenTunnel(_ list: String) throws {
        let run = try RemoteRun(StuckJob.script)
        let launched = try run.start("dlp-lua --hosts \(list) --tunnel --crash-limit 9 --rejoin 5 job.lua 3")
        try StuckJob.wait(launched, in: run.scratch)
        try run.hosts.kill("KILL", on: 1, "^ssh.*h2")
        let outcome = try launched.finish()
        if list.hasPrefix("h1") {
            #expect(outcome.status == 0 && outcome.output == StuckJob.output, "\(outcome.error)")
            #expect(
                outcome.complaints.count == 2 && outcome.error.contains("lost rank 3 (host h2)"), "\(outcome.error)")
        } else {
            #expect(outcome.status == 3 && outcome.error.contains("lost host h2 with ranks 0 to 1"), "\(outcome.error)")
        }
        try run.isClean(1, 2)
    }
}
