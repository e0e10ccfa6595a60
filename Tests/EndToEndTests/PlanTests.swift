import TestSupport
import Testing

/// What `--plan` says about a job, from the times in its journal.
@Suite("Plans", .hangLimit)
struct PlanTests {
    private static let job = """
        function examples() return 40 end
        function work(i) dlp.sleep(i == 7 and 0.4 or 0.05) return i end
        function summarize() end
        """

    /// Returns the seconds in a plan's file, by number of ranks.
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
        let expected =
            "ranks hosts time longest first efficiency rank hours host hours fullest rank fullest host"
        #expect(plan.lines.count == 8 && heads == expected, "\(plan.output)")
        #expect(plan.lines[6].contains("would shorten it by less than 5%"), "\(plan.output)")
        #expect(plan.lines[7].hasPrefix("with 1 rank to a host, as in the run; "), "\(plan.output)")
        let planned = seconds(try #require(scratch.read("plan.csv")))
        #expect(planned.keys.sorted() == [1, 2, 4, 8], "\(planned)")
        let rows = try run("dlp-lua --results run.db", in: scratch).lines
        let times = rows.compactMap { $0.firstMatch(of: /"seconds":([0-9.e-]+)/).flatMap { Double($0.1) } }
        let (sum, longest) = (times.reduce(0, +), times.max() ?? 0)
        #expect(times.count == 40 && sum > 2, "\(rows)")
        for (ranks, time) in planned {
            let least = max(sum / Double(ranks), longest)
            // A free rank takes the next example: no such schedule needs longer than this.
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
        #expect(plan.output.contains("would shorten it by less than 5%"), "\(plan.output)")
    }

    /// A column of the file of a plan.
    private func column(_ name: String, of file: String) -> [Double] {
        let rows = file.split(whereSeparator: \.isNewline).map { $0.split(separator: ",") }
        guard let place = rows.first?.firstIndex(of: Substring(name)) else { return [] }
        return rows.dropFirst().compactMap { Double($0[place]) }
    }

    @Test("a host is full of the ranks that it has, in the run or by --hosts, with the examples that need most")
    func hosts() throws {
        let scratch = try Scratch(
            job: Self.job.replacing("dlp.sleep(", with: "local s = i == 3 and string.rep('x', 90000000) dlp.sleep("))
        #expect(try run("ameexec -np 4 dlp-lua --chunk 1 --journal run.db job.lua", in: scratch).status == 0)
        let plan = try run("dlp-lua --plan run.db -np 2,4,8 --output plan.csv", in: scratch)
        #expect(plan.status == 0 && plan.lines.last?.hasPrefix("with 4 ranks to a host") == true, "\(plan)")
        let file = try #require(scratch.read("plan.csv"))
        let (rank, host) = (column("memory", of: file)[0], column("host_memory", of: file))
        #expect(column("hosts", of: file) == [1, 1, 2] && rank > 90e6, "\(file)")
        // One of the ranks has the large example, the others have less.
        #expect(host[0] > rank && host[0] < host[1] && host[1] == host[2] && host[1] < 4 * rank, "\(file)")
        for (words, ranks, hosts) in [
            ("--hosts a:2,b:6,a:1", [3.0, 9], [1.0, 2]), ("--hosts a:2,b:6 -np 3,8", [3, 8], [2, 2]),
            ("--hosts a:8 -np 2", [2], [1]),
        ] {
            let plan = try run("dlp-lua --plan run.db \(words) --output plan.csv", in: scratch)
            let file = try #require(scratch.read("plan.csv"), "\(plan)")
            #expect(column("ranks", of: file) == ranks && column("hosts", of: file) == hosts, "\(words): \(plan)")
            #expect(plan.lines.last?.contains("would shorten it") == true, "\(plan)")
        }
    }

    @Test(
        "what cannot be planned is said",
        arguments: [
            ("--plan none.db", "none.db"), ("--plan run.db -np 1,x", "not -np 1,x"),
            ("--plan run.db -np 0", "not -np 0"),
            ("--plan run.db job.lua", "without a script"), ("--plan run.db --hosts a:4,b", "as --hosts b:8"),
            ("--plan run.db --hosts a:4 -np 5", "no plan for -np 5"), ("--plan run.db --hosts a:x", "not 'a:x'"),
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
