import Glibc
import TestSupport
import Testing

/// Ranks on several hosts, each with an address of its own.
@Suite(.hangLimit)
struct HostTests {
    private static let job = """
        function examples() return 200 end
        function work(n) return n * n end
        function summarize(results) local sum = 0 for n = 1, results.n do sum = sum + results[n] end print(sum) end
        """

    /// Starts a rank on each of three hosts, which meet at the address of the first.
    private func start(_ hosts: Hosts, _ words: String, in scratch: Scratch, isIPv6: Bool = false) throws -> [Launched]
    {
        var rendezvous = try Rendezvous(size: 3)
        rendezvous.host = Hosts.address(1, isIPv6: isIPv6)
        return try (0..<3).map { rank in
            try hosts.start(
                on: rank + 1, "dlp-lua \(words)", in: scratch, environment: rendezvous.environment(rank: rank))
        }
    }

    /// Starts a job, and waits until this rank of it is stuck for ever.
    private func start(_ hosts: Hosts, stuck rank: Int) throws -> [Launched] {
        let scratch = try Scratch(job: StuckJob.script)
        // An example may be on one lost rank after the other before both are known to be lost, although it does not
        // kill them.
        let ranks = try start(hosts, "--crash-limit 9 --rejoin 5 job.lua \(rank)", in: scratch)
        try StuckJob.wait(ranks[rank], in: scratch)
        return ranks
    }

    @Test("ranks on three hosts are one job", arguments: ["map", "managed", "round-robin"], [false, true])
    func variables(_ mode: String, _ isIPv6: Bool) throws {
        let ranks = try start(Hosts(3), "--mode \(mode) job.lua", in: Scratch(job: Self.job), isIPv6: isIPv6)
        let outcomes = try ranks.map { try $0.finish() }
        #expect(outcomes.map(\.output) == ["2686700\n", "", ""])
        #expect(outcomes.allSatisfy { $0.error == "" && $0.status == 0 }, "\(outcomes.map(\.error))")
    }

    @Test("a name of a host is an address")
    func name() throws {
        let hosts = try Hosts(2)
        let scratch = try Scratch()
        var rendezvous = try Rendezvous(size: 2)
        rendezvous.host = "h1"
        let ranks = try (0..<2).map { rank in
            try hosts.start(
                on: rank + 1, "dlp-lua --info", in: scratch, environment: rendezvous.environment(rank: rank))
        }
        let outcomes = try ranks.map { try $0.finish() }
        #expect(outcomes[0].output.contains("Host: h1"), "\(outcomes[0].error)")
        #expect(outcomes[1].lines == ["Hello from rank 1 of 2!"], "\(outcomes[1].error)")
    }

    @Test("a job goes on without hosts that are lost and ends where one was the root's")
    func lost() throws {
        // All jobs at once: the system takes half a minute to notice a loss.
        let hosts = try (0..<6).map { _ in try Hosts(3) }
        let jobs = try zip(hosts, [2, 1, 0, 2, 1, 2]).map { try start($0, stuck: $1) }
        try hosts[0].cut(3)
        try hosts[1].crash(2)
        try hosts[2].crash(1)
        try jobs[3][2].signal(SIGSTOP, rank: 2)
        try hosts[3].cut(3)
        try hosts[4].cut(1)
        try hosts[5].crash(1)
        try hosts[5].crash(2)

        let cut = try jobs[0].map { try $0.finish() }
        #expect(cut.map(\.status) == [0, 0, 3], "the rank that was cut off ends, too")
        #expect(cut[0].output == StuckJob.output)
        #expect(cut[2].isOneMessage("dlp-lua", with: "rank 2 (host h3)", "rank 0"), "\(cut[2].error)")
        #expect(cut[0].isOneMessage("dlp-lua", with: "rank 2", "h3"), "\(cut[0].error)")
        let crashed = try jobs[1].map { try $0.finish() }
        #expect(crashed[0].status == 0 && crashed[2].status == 0)
        #expect(crashed[0].output == StuckJob.output)
        #expect(crashed[0].isOneMessage("dlp-lua", with: "rank 1", "h2"), "\(crashed[0].error)")
        let rootless = try jobs[2].map { try $0.finish() }
        #expect(rootless[1].status == 3 && rootless[2].status == 3)
        for rank in 1...2 {
            #expect(rootless[rank].isOneMessage("dlp-lua", with: "rank \(rank)", "rank 0"), "\(rootless[rank].error)")
        }
        let stopped = try jobs[3].prefix(2).map { try $0.finish() }
        #expect(stopped.map(\.status) == [0, 0] && stopped[0].output == StuckJob.output)
        #expect(stopped[0].isOneMessage("dlp-lua", with: "rank 2", "h3"), "\(stopped[0].error)")
        // nsenter(1) stops together with its child, and continues it.
        jobs[3][2].signal(SIGCONT)
        #expect(try jobs[3][2].finish().status == 3, "it finds out when it goes on")
        let apart = try jobs[4].map { try $0.finish() }
        #expect(apart.map(\.status) == [0, 3, 3], "the root can do it all, the others have no root")
        #expect(apart[0].output == StuckJob.output)
        #expect(apart[0].complaints.count == 2, "\(apart[0].error)")
        #expect(apart[0].error.contains("lost rank 1 (host h2)") && apart[0].error.contains("lost rank 2 (host h3)"))
        #expect(apart[1].isOneMessage("dlp-lua", with: "rank 0"), "\(apart[1].error)")
        let last = try jobs[5][2].finish()
        #expect(last.isOneMessage("dlp-lua", with: "rank 2 (host h3)", "rank 0") && last.status == 3, "\(last.error)")
    }

    /// The surviving ranks wait with their examples until the accident is over, so that the job lasts longer than the
    /// accident.
    private static let longJob = """
        function examples() return 12 end
        function work(n)
          local log = io.open("log." .. dlp.RANK, "a")
          log:write(n, "\\n")
          log:close()
          while dlp.RANK < 2 and not io.open("back") do os.execute("sleep 0.1") end
          os.execute("sleep 1")
          return n * n
        end
        function summarize(results) print(table.concat(results, " ")) end
        """

    @Test(
        "a rank whose host was away comes back and goes on, and every example counts once",
        arguments: ["map --journal job.db", "managed"])
    func away(_ mode: String) throws {
        let hosts = try Hosts(3)
        let scratch = try Scratch(job: Self.longJob)
        let ranks = try start(hosts, "--chunk 1 --mode \(mode) job.lua", in: scratch)
        try ranks[2].reaches("rank 2 works") { scratch.names.contains("log.2") }
        try hosts.cut(3)
        try ranks[0].reaches("the root misses it") { ranks[0].errorText.contains("lost rank 2") }
        try hosts.heal(3)
        try ranks[0].reaches("it is back") { ranks[0].errorText.contains("is back") }
        try scratch.write("back", "")
        let outcomes = try ranks.map { try $0.finish() }
        #expect(outcomes.map(\.status) == [0, 0, 0], "\(outcomes.map(\.error))")
        #expect(outcomes[0].output == (1...12).map { "\($0 * $0)" }.joined(separator: " ") + "\n")
        #expect(outcomes[0].complaints.count == 2, "\(outcomes[0].error)")
        #expect(outcomes[0].error.contains("rank 2 (host h3) is back"), "\(outcomes[0].error)")
        #expect(outcomes[1].error == "" && outcomes[2].error == "", "\(outcomes.map(\.error))")
        guard scratch.names.contains("job.db") else { return }
        let rows = try run("dlp-lua --results job.db", in: scratch)
        #expect(rows.lines.count == 12 && Set(rows.lines).count == 12, "\(rows.output)")
    }

    @Test("with --rejoin 0 a rank whose host was away stays lost")
    func awayForGood() throws {
        let hosts = try Hosts(3)
        let scratch = try Scratch(job: Self.longJob)
        let ranks = try start(hosts, "--chunk 1 --rejoin 0 job.lua", in: scratch)
        try ranks[2].reaches("rank 2 works") { scratch.names.contains("log.2") }
        try hosts.cut(3)
        try ranks[0].reaches("the root misses it") { ranks[0].errorText.contains("lost rank 2") }
        try hosts.heal(3)
        #expect(try ranks[2].finish().status == 3)
        try scratch.write("back", "")
        let outcomes = try ranks[..<2].map { try $0.finish() }
        #expect(outcomes.map(\.status) == [0, 0] && outcomes[0].complaints.count == 1, "\(outcomes.map(\.error))")
    }

    /// The direction in which nothing gets through, or only small packets.
    enum Deafness: CaseIterable, Sendable {
        case root, worker, worker576, root576
    }

    @Test("a connection on which one direction is cut, or large packets vanish, ends for both within half a minute")
    func oneWay() throws {
        // The worker sends large results all the time, and the root large examples; alone the root would soon stop.
        let script = """
            function examples() local list = {} for i = 1, 3000 do list[i] = i .. ('x'):rep(20000) end return list end
            function work(text)
              if dlp.RANK == 1 then io.open('busy', 'w'):close() end
              os.execute("sleep 0.05")
              return text
            end
            function summarize(results) print(results.n) end
            """
        let options = "--examples root --root-works no --chunk 1 --stop-after 90 --rejoin 0"
        let beds = try Deafness.allCases.map { deafness in
            let hosts = try Hosts(2)
            let scratch = try Scratch(job: script)
            var rendezvous = try Rendezvous(size: 2)
            rendezvous.host = Hosts.address(1)
            let ranks = try (0..<2).map { rank in
                try hosts.start(
                    on: rank + 1, "dlp-lua \(options) job.lua", in: scratch,
                    environment: rendezvous.environment(rank: rank))
            }
            return (deafness, hosts, scratch, ranks)
        }
        for (deafness, hosts, scratch, ranks) in beds {
            try ranks[1].reaches("the worker works") { scratch.names.contains("busy") }
            switch deafness {
            case .root: try hosts.deafen(1, to: 2)
            case .worker: try hosts.deafen(2, to: 1)
            case .root576: try hosts.deafen(1, to: 2, above: 576)
            case .worker576: try hosts.deafen(2, to: 1, above: 576)
            }
        }
        for (deafness, _, _, ranks) in beds {
            let outcomes = try ranks.map { try $0.finish() }
            #expect(outcomes[0].error.contains("lost rank 1 (host h2)"), "\(deafness): \(outcomes[0].error)")
            #expect(outcomes[1].isOneMessage("dlp-lua", with: "rank 0"), "\(deafness): \(outcomes[1].error)")
            #expect(outcomes[1].status == 3)
        }
    }

    @Test("a rank that cannot reach the root gives up and says where it looked")
    func unreachable() throws {
        let hosts = try Hosts(2)
        try hosts.cut(2)
        var rendezvous = try Rendezvous(size: 2)
        rendezvous.host = Hosts.address(1)
        let worker = try hosts.start(
            on: 2, "dlp-lua --connect-timeout 1 --info", in: Scratch(), environment: rendezvous.environment(rank: 1))
        let outcome = try worker.finish()
        #expect(outcome.isOneMessage("dlp-lua", with: Hosts.address(1)), "\(outcome.error)")
        #expect(outcome.status == 3)
    }

    @Test("srun's ranks on three hosts are one job", arguments: ["none", "pmi2", "pmix"])
    func slurm(_ type: String) throws {
        let hosts = try Hosts(3, slurm: true)
        let scratch = try Scratch(job: Self.job)
        for backend in type == "pmix" ? ["ame", "mpi"] : ["ame"] {
            let outcome = try hosts.start(
                on: 1, "srun -Q --mpi=\(type) -N 3 -n 6 dlp-lua --backend \(backend) job.lua", in: scratch
            ).finish()
            #expect(outcome.output == "2686700\n", "\(backend)")
            #expect(outcome.error == "" && outcome.status == 0, "\(backend): \(outcome.error)")
        }
    }

    @Test("srun's jobs go on without a host that is cut off, where Slurm is told to let them")
    func slurmCut() throws {
        let hosts = try Hosts(3, slurm: true)
        let jobs = try ["none", "pmi2", "pmix"].map { type in
            let scratch = try Scratch(job: StuckJob.script)
            let launched = try hosts.start(
                on: 1, "srun --no-kill --mpi=\(type) -N 3 -n 3 dlp-lua --backend ame --rejoin 5 job.lua 2", in: scratch)
            try StuckJob.wait(launched, in: scratch)
            return launched
        }
        try hosts.cut(3)
        for outcome in try jobs.map({ try $0.finish() }) {
            #expect(outcome.output == StuckJob.output)
            #expect(outcome.complaints.count == 1 && outcome.error.contains("rank 2 (host h3)"), "\(outcome.error)")
            #expect(outcome.status == 0)
        }
    }
}
