import TestSupport
import Testing

/// What `--plan` says of a job by the times in its journal.
@Suite("Plans", .timeLimit(.minutes(60)))
struct PlanTests {
    private static let job = """
        function examples() return 40 end
        function work(i) dlp.sleep(i == 7 and 0.4 or 0.05) return i end
        function summarize() end
        """

    /// The seconds that the plan in a file has, by number of ranks.
    private func seconds(_ file: String) -> [Int: Double] {
        let rows = file.split(whereSeparator: \.isNewline).map { $0.split(separator: ",") }
        let columns = ["ranks", "seconds"].compactMap { rows.first?.firstIndex(of: Substring($0)) }
        var seconds: [Int: Double] = [:]
        for row in rows.dropFirst() where columns.count == 2 {
            if let ranks = Int(row[columns[0]]), let time = Double(row[columns[1]]) { seconds[ranks] = time }
        }
        return seconds
    }

    @Test("a plan says what jobs on other numbers of ranks then take, by the times in the journal")
    func measured() throws {
        let scratch = try Scratch(job: Self.job)
        #expect(try run("dlp-lua --journal run.db job.lua", in: scratch).status == 0)
        let plan = try run("dlp-lua --plan run.db -np 1,2,4,8 --output plan.csv", in: scratch)
        #expect(plan.status == 0 && plan.error == "", "\(plan)")
        #expect(plan.lines.first?.hasPrefix("40 examples are measured; take ") == true, "\(plan.output)")
        let heads = plan.lines[1].split(separator: " ").joined(separator: " ")
        #expect(plan.lines.count == 7 && heads == "ranks time efficiency rank hours fullest rank", "\(plan.output)")
        let planned = seconds(try #require(scratch.read("plan.csv")))
        #expect(planned.keys.sorted() == [1, 2, 4, 8], "\(planned)")
        let rows = try run("dlp-lua --results run.db", in: scratch).lines
        let times = rows.compactMap { $0.firstMatch(of: /"seconds":([0-9.e-]+)/).flatMap { Double($0.1) } }
        let (sum, longest) = (times.reduce(0, +), times.max() ?? 0)
        #expect(times.count == 40 && sum > 2, "\(rows)")
        for (ranks, time) in planned {
            let least = max(sum / Double(ranks), longest)
            // Whoever is free takes the next one: no such schedule needs longer.
            #expect(time > least * 0.999 && time < sum / Double(ranks) + longest + 0.1, "\(planned) of \(sum)")
        }
    }

    @Test("from a part of the examples a plan is drawn up with its spread")
    func part() throws {
        let scratch = try Scratch(job: Self.job.replacing("dlp.sleep(", with: "if i == 5 then error() end dlp.sleep("))
        let begun = try run("dlp-lua --journal run.db job.lua", in: scratch)
        #expect(begun.status == 1, "\(begun)")
        let plan = try run("dlp-lua --plan run.db", in: scratch)
        #expect(plan.status == 0 && plan.output.contains(" of 40 examples are measured; all take about "), "\(plan)")
        #expect(plan.output.contains("nine of ten times") && plan.output.contains(" to "), "\(plan.output)")
        #expect(plan.lines.last?.contains("would shorten it by less than 5%") == true)
    }

    @Test(
        "what cannot be planned is said",
        arguments: [
            ("--plan none.db", "none.db"), ("--plan run.db -np 1,x", "not -np 1,x"),
            ("--plan run.db -np 0", "not -np 0"),
            ("--plan run.db job.lua", "without a script"), ("--plan run.db --hosts a", "starts nothing"),
            ("--plan run.db --stage no", "no stage no"), ("--plan empty.db", "nothing to go by"),
            ("--plan run.db --output run.db", "name the same file"), ("--plan job.lua", "job.lua"),
        ])
    func refused(_ words: String, _ message: String) throws {
        let scratch = try Scratch(job: Self.job)
        let small = "function examples() return {1} end function work() end"
        try scratch.write("small.lua", small)
        try scratch.write("none.lua", "function examples() return {} end function work() end")
        #expect(try run("dlp-lua --journal run.db small.lua", in: scratch).status == 0)
        #expect(try run("dlp-lua --journal empty.db none.lua", in: scratch).status == 0)
        let outcome = try run("dlp-lua \(words)", in: scratch)
        #expect(outcome.status == 2 && outcome.isOneMessage("dlp-lua", with: message), "\(outcome)")
    }
}
