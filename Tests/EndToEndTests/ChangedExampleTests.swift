import TestSupport
import Testing

/// Jobs whose `work` changes its example.
@Suite(.hangLimit)
struct ChangedExampleTests {
    private static let commands = [1, 2, 3].flatMap { ranks in
        ["map", "managed", "round-robin"].map { "dlp-lua -np \(ranks) --mode \($0)" }
    }

    @Test("collect sees it as examples() made it, whoever has worked on it", arguments: commands)
    func collect(_ command: String) throws {
        let scratch = try Scratch(
            job: """
                function examples() local list = {} for i = 1, 20 do list[i] = {v = i, {i}} end return list end
                function work(e) e.v, e[1][1] = e.v + 100, nil return e.v end
                function collect(r, i, e) print(i, r, e.v, e[1][1]) end
                """)
        let outcome = try run("\(command) --chunk 2 job.lua", in: scratch)
        #expect(outcome.lines.sorted() == (1...20).map { "\($0)\t\(100 + $0)\t\($0)\t\($0)" }.sorted())
        #expect(outcome.error == "" && outcome.status == 0)
    }

    @Test("a second attempt gets it as examples() made it, on whatever rank", arguments: commands)
    func retries(_ command: String) throws {
        let scratch = try Scratch(
            job: """
                function examples() local list = {} for i = 1, 8 do list[i] = {v = i} end return list end
                function work(e, i)
                  e.v = e.v + 100
                  local mark = io.open("mark" .. i)
                  if mark then return e.v end
                  io.open("mark" .. i, "w"):close()
                  error("once")
                end
                """)
        let outcome = try run("\(command) --retries 1 job.lua", in: scratch)
        #expect(outcome.lines == (1...8).map { "\(100 + $0)" })
        #expect(outcome.error == "" && outcome.status == 0, "\(outcome.error)")
    }
}
