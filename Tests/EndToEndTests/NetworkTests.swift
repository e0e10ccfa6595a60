import Glibc
import TestSupport
import Testing

/// Ranks that are started by hand, or by dlp_mpi's launcher, and meet over TCP.
@Suite(.hangLimit)
struct NetworkTests {
    private static let job = """
        function examples() return 200 end
        function work(n) return n * n end
        function summarize(results) local sum = 0 for n = 1, results.n do sum = sum + results[n] end print(sum) end
        """

    @Test("the variables of dlp_mpi's launcher are enough", arguments: ["map", "managed", "round-robin"])
    func variables(_ mode: String) throws {
        let scratch = try Scratch(job: Self.job)
        let rendezvous = try Rendezvous(size: 3)
        // Workers first: they wait for the root.
        let ranks = try [2, 1, 0].map { try rendezvous.start(rank: $0, "--mode \(mode) job.lua", in: scratch) }
        let outcomes = try ranks.map { try $0.finish() }
        #expect(outcomes.map(\.output) == ["", "", "2686700\n"])
        #expect(outcomes.allSatisfy { $0.error == "" && $0.status == 0 }, "\(outcomes.map(\.error))")
    }

    @Test("the name of this machine is a host, as dlp_mpi's launcher gives it")
    func hostName() throws {
        var name = [CChar](repeating: 0, count: 256)
        try #require(gethostname(&name, 255) == 0)
        var rendezvous = try Rendezvous(size: 2)
        rendezvous.host = String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        let scratch = try Scratch()
        let ranks = try (0..<2).map { try rendezvous.start(rank: $0, "--info", in: scratch) }
        let outcomes = try ranks.map { try $0.finish() }
        #expect(outcomes[0].lines.contains("Hello from rank 0 of 2!"), "\(outcomes[0].error)")
        #expect(outcomes[1].lines == ["Hello from rank 1 of 2!"], "\(outcomes[1].error)")
    }

    @Test(
        "a stranger changes nothing",
        arguments: [
            [], Array("GET / HTTP/1.1\r\nHost: root\r\n\r\n".utf8), [UInt8](repeating: 0xFF, count: 100_000),
            Array("dlp-ame\n".utf8), Array("dlp-ame\n".utf8) + [UInt8](repeating: 1, count: 1000), [0],
        ] as [[UInt8]])
    func stranger(_ words: [UInt8]) throws {
        let scratch = try Scratch(job: Self.job)
        let rendezvous = try Rendezvous(size: 2)
        let root = try rendezvous.start(rank: 0, "job.lua", in: scratch)
        let strangers = try (0..<20).map { _ in
            let stranger = try Stranger(port: rendezvous.port)
            stranger.say(words)
            return stranger
        }
        let worker = try rendezvous.start(rank: 1, "job.lua", in: scratch)
        let outcome = try root.finish()
        #expect(outcome.output == "2686700\n" && outcome.error == "" && outcome.status == 0, "\(outcome.error)")
        let other = try worker.finish()
        #expect(other.error == "" && other.status == 0, "\(other.error)")
        withExtendedLifetime(strangers) {}
    }

    @Test("a rank with another key is turned away, and the root names whom it lacks")
    func wrongKey() throws {
        let scratch = try Scratch(job: Self.job)
        let rendezvous = try Rendezvous(size: 2)
        var other = rendezvous
        other.key = "B" + rendezvous.key.dropFirst()
        if other.key == rendezvous.key { other.key = "C" + rendezvous.key.dropFirst() }
        let worker = try other.start(rank: 1, "--connect-timeout 5 job.lua", in: scratch)
        let root = try rendezvous.start(rank: 0, "--connect-timeout 5 job.lua", in: scratch)
        let outcomes = (try root.finish(), try worker.finish())
        #expect(outcomes.0.error.contains("rank 1"), "\(outcomes.0.error)")
        #expect(outcomes.1.isOneMessage("dlp-lua", with: "key"), "\(outcomes.1.error)")
        #expect(outcomes.0.status == 3 && outcomes.1.status == 3)
        #expect(outcomes.0.output == "" && outcomes.1.output == "")
    }

    @Test("ranks that do not arrive are named")
    func missingRanks() throws {
        let scratch = try Scratch(job: Self.job)
        let rendezvous = try Rendezvous(size: 4)
        let root = try rendezvous.start(rank: 0, "--connect-timeout 1 job.lua", in: scratch)
        let worker = try rendezvous.start(rank: 2, "--connect-timeout 1 job.lua", in: scratch)
        let outcome = try root.finish()
        #expect(outcome.isOneMessage("dlp-lua", with: "1", "3"), "\(outcome.error)")
        #expect(outcome.error.contains("rank") && outcome.status == 3, "\(outcome.error)")
        #expect(try worker.finish().status == 3)
    }

    @Test("a rank without a root gives up and says where it looked")
    func missingRoot() throws {
        let rendezvous = try Rendezvous(size: 2)
        let worker = try rendezvous.start(rank: 1, "--connect-timeout 1 job.lua", in: Scratch(job: Self.job))
        let outcome = try worker.finish()
        #expect(outcome.isOneMessage("dlp-lua", with: "127.0.0.1", String(rendezvous.port)), "\(outcome.error)")
        #expect(outcome.status == 3)
    }

    @Test("workers end when the root is killed, without a launcher that would end them")
    func rootKilled() throws {
        let scratch = try Scratch(
            job:
                "function examples() return 9 end function work() io.open('busy.' .. dlp.RANK, 'w'):close() while true do end end"
        )
        let rendezvous = try Rendezvous(size: 3)
        let ranks = try (0..<3).map { try rendezvous.start(rank: $0, "job.lua", in: scratch) }
        try eventually("all ranks are busy") { scratch.names.count { $0.hasPrefix("busy.") } == 3 }
        ranks[0].signal(SIGKILL)
        #expect(try ranks[0].finish().status == 128 + SIGKILL)
        let outcomes = try ranks.dropFirst().map { try $0.finish() }
        #expect(outcomes.allSatisfy { $0.status == 3 })
        // The first rank of a host reports for all. On a busy machine another one may report after the first has
        // gone.
        let complaints = outcomes.map(\.error).filter { $0 != "" }
        #expect(!complaints.isEmpty)
        for outcome in outcomes where outcome.error != "" {
            #expect(outcome.isOneMessage("dlp-lua", with: "rank", "rank 0"), "\(outcome.error)")
        }
    }

    @Test(
        "a root that is ended while it waits leaves no file with the key behind", arguments: [SIGTERM, SIGINT, SIGHUP])
    func endedRoot(_ signal: Int32) throws {
        let scratch = try Scratch(job: Self.job)
        let variables = [
            "SLURM_JOB_ID": "1", "SLURM_STEP_ID": "0", "SLURM_PROCID": "0", "SLURM_STEP_NUM_TASKS": "2",
            "SLURM_STEP_NUM_NODES": "2", "DLP_RENDEZVOUS_DIR": scratch.path,
        ]
        let root = try Launched(["dlp-lua", "--backend", "ame", "job.lua"], in: scratch, environment: variables)
        try root.reaches("the file is there") { scratch.names.contains { $0.hasPrefix("job-") } }
        root.signal(signal)
        #expect(try root.finish().status == 128 + signal)
        #expect(!scratch.names.contains { $0.hasPrefix("job-") }, "\(scratch.names)")
    }

    @Test(
        "a place that makes no sense is one message from the root",
        arguments: [
            ["AME_RANK": "3"], ["AME_RANK": "x"], ["AME_SIZE": "0"], ["AME_PORT": "99999"], ["AME_AUTHKEY": "short"],
            ["AME_SIZE": ""],
        ])
    func nonsense(_ changes: [String: String]) throws {
        let rendezvous = try Rendezvous(size: 2)
        let environment = rendezvous.environment(rank: 0).merging(changes) { _, new in new }
        let outcome = try run("dlp-lua --info", environment: environment)
        #expect(
            outcome.error.hasPrefix("dlp-lua: ") && outcome.error.contains(changes.keys.first ?? "?"),
            "\(outcome.error)")
        #expect(outcome.status == 2 || outcome.status == 3)
        #expect(outcome.output == "")
    }
}
