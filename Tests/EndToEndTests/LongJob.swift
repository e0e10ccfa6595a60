import TestSupport
import Testing

/// A job with more examples than any test waits for.
///
/// Each example leaves a line when it begins and when it ends.
///
/// Each begins with a program that ignores SIGTERM, because launchers send this signal to programs together with
/// their rank.
///
/// The file `count` holds the number of examples, so that a test can finish a stopped job; the list may change.
enum LongJob {
    static let script = """
        local function note(name, n)
          local file = io.open(name .. "." .. dlp.RANK, "a")
          file:write(n, "\\n")
          file:close()
        end
        function examples() return io.open("count"):read("n") end
        function work(n)
          local program = io.popen("trap '' TERM; echo ready; exec sleep 0.02")
          if not program:read() then program:close() error("it has not begun") end
          note("began", n)
          program:close()
          note("ended", n)
          return n
        end
        function summarize(results) print(results.n, results[1], results[results.n]) end
        """

    /// The number of examples at first, and in the end.
    private static let many = 20_000
    private static let few = 60

    /// A directory with the job.
    static func scratch() throws -> Scratch {
        let scratch = try Scratch(job: script)
        try scratch.write("count", "\(many)")
        return scratch
    }

    /// Waits until this number of ranks is at work.
    static func wait(_ launched: Launched, for ranks: Int, in scratch: Scratch) throws {
        try launched.reaches("\(ranks) ranks are at work") {
            scratch.names.count { $0.hasPrefix("began.") && scratch.read($0)?.isEmpty == false } >= ranks
        }
    }

    /// Returns how often each example was done, or begun, by its index.
    static func counts(of name: String = "ended", in scratch: Scratch) -> [Int: Int] {
        var counts: [Int: Int] = [:]
        for file in scratch.names where file.hasPrefix("\(name).") {
            for line in (scratch.read(file) ?? "").split(separator: "\n") { counts[Int(line) ?? 0, default: 0] += 1 }
        }
        return counts
    }

    /// Returns the examples that are done according to the journal; none where there is no journal yet.
    static func kept(in scratch: Scratch) throws -> Set<Int> {
        let outcome = try run("sqlite3 run.db", "SELECT example FROM results WHERE state = 'done'", in: scratch)
        return Set(outcome.lines.compactMap { Int($0) })
    }

    /// Waits until the journal has this number of examples.
    static func wait(_ launched: Launched, forKept count: Int, in scratch: Scratch) throws {
        try launched.reaches("\(count) examples are in the journal") { try kept(in: scratch).count >= count }
    }

    /// Lets the job go on with a short list, and expects that it does only what is not in the journal.
    ///
    /// - Parameter start: runs dlp-lua with these words.
    static func goOn(in scratch: Scratch, _ start: (_ words: String) throws -> Outcome) throws {
        try scratch.write("count", "\(few)")
        let sound = try run("sqlite3 run.db", "PRAGMA integrity_check", in: scratch)
        #expect(sound.lines == ["ok"], "\(sound.error)")
        let (done, before) = (try kept(in: scratch), counts(in: scratch))
        #expect(done.isSubset(of: before.keys))
        let outcome = try start("--journal run.db job.lua")
        #expect(outcome.output == "\(few)\t1\t\(few)\n" && outcome.status == 0, "\(outcome.error)")
        let after = counts(in: scratch)
        for example in 1...few {
            let expected = (before[example] ?? 0) + (done.contains(example) ? 0 : 1)
            #expect(after[example] == expected, "example \(example)")
        }
    }
}
