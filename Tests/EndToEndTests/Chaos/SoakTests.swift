import Glibc
import TestSupport
import Testing

/// A long job that loses its workers one after another.
///
/// `DLP_SOAK_EXAMPLES` is the number of examples; `scripts/soak` sets it.
@Suite(.hangLimit(unless: getenv("DLP_SOAK_EXAMPLES") != nil))
struct SoakTests {
    private static let examples = getenv("DLP_SOAK_EXAMPLES").flatMap { Int(String(cString: $0)) } ?? 100_000
    /// The most memory that the root may need, in kilobytes, for any number of examples.
    private static let bound = 64 << 10

    /// `collect` keeps one bit for each example.
    ///
    /// Six of the examples wait for the kill that belongs to them, so that no kill comes after the end.
    private static let job = """
        local total = tonumber(arg[1])
        function examples() return total end
        local gates = {}
        for kill = 1, 6 do gates[(kill * 12 + 5) * total // 100] = "go." .. kill end
        function work(n)
          while gates[n] do
            local go = io.open(gates[n])
            if go then go:close() break end
            dlp.sleep(0.001)
          end
          for _ = 1, 5000 do end
          return n * 3 + 1
        end
        local seen, done, twice, wrong = {}, 0, 0, 0
        function collect(result, index)
          local word, bit = index // 62, 1 << index % 62
          local bits = seen[word] or 0
          if bits & bit ~= 0 then twice = twice + 1 end
          if result ~= index * 3 + 1 then wrong = wrong + 1 end
          seen[word], done = bits | bit, done + 1
          if done % (total // 100) == 0 then io.open("done." .. done * 100 // total, "w"):close() end
          if done >= total then print(done, twice, wrong) end
        end
        """

    @Test(
        "every result comes once though workers are killed one after another, and the root's memory stays bounded")
    func soak() throws {
        let scratch = try Scratch(job: Self.job)
        let launched = try Launched(
            ["ameexec", "-np", "8", "dlp-lua", "--crash-limit", "99", "job.lua", "\(Self.examples)"], in: scratch)
        var killed: [Int] = []
        var peak = 0
        for rank in 1...6 {
            try launched.reaches("the job goes on") { done(in: scratch) >= rank * 12 }
            peak = max(peak, launched.peakMemory(rank: 0) ?? 0)
            try launched.signal(SIGKILL, rank: rank)
            killed.append(rank)
            try scratch.write("go.\(rank)", "")
        }
        try eventually("the job is nearly done") {
            peak = max(peak, launched.peakMemory(rank: 0) ?? 0)
            return done(in: scratch) >= 97 || launched.hasEnded
        }
        let outcome = try launched.finish()
        #expect(outcome.output == "\(Self.examples)\t0\t0\n" && outcome.status == 0, "\(outcome.error)")
        let messages = ChaosMessages(outcome.error)
        #expect(messages.others.isEmpty && messages.fatalLosses.isEmpty, "\(messages.others)")
        #expect(messages.losses.map(\.rank).sorted() == killed, "\(outcome.error)")
        #expect((1...Self.bound).contains(peak), "the root has had \(peak) kB")
        print("soak: \(outcome.output.dropLast()); \(killed.count) ranks killed, the root needed \(peak) kB at most")
    }

    /// How many hundredths of the job are done according to rank 0.
    private func done(in scratch: Scratch) -> Int { scratch.names.count { $0.hasPrefix("done.") } }
}
