import DLP
import Testing

@testable import Journal

@Suite("What rows were made with")
struct JournalVersionTests {
    /// The version of a function that reaches a helper.
    ///
    /// Each is identified by a word, in a script of this text.
    private func version(
        _ work: String, _ helper: String, text: String = "work = print", script: SystemString = "job.lua",
        obstacle: String? = nil, value: String? = nil, modules: String = ""
    ) -> CodeVersion {
        let identity = JournalIdentity(script: script, text: Bytes(Array(text.utf8)), arguments: [], seed: 0)
        return CodeVersion(
            identity, modules: digest(modules), reach: digest(work + helper + (value ?? "")),
            parts: [
                CodeVersion.Part(name: "work", place: "job.lua:3", digest: digest(work)),
                CodeVersion.Part(name: "helper", place: "job.lua:1", digest: digest(helper)),
                CodeVersion.Part(name: "rate", place: "job.lua:3", digest: digest(value ?? ""), isValue: true),
            ], obstacles: obstacle.map { [$0] } ?? [])
    }

    /// Does the examples of `list` that the journal does not have.
    ///
    /// - Returns: the places of the examples that were done, and what the journal reports about the change.
    @discardableResult
    private func run(
        _ scratch: JournalScratch, _ list: [String], _ version: CodeVersion, _ policy: JournalPolicy = .goOn,
        of stage: String? = nil
    ) throws -> (done: [Int], edit: ExampleLedger.Edit?) {
        let file = try scratch.open(policy)
        let ledger = try file.rows().ledger(of: stage, code: version)
        let undone = list.indices.filter { add(list[$0], to: ledger).stored == nil }
        ledger.complete()
        let writer = try JournalWriter(file, ledger) { Issue.record("\($0)") }
        for index in undone {
            writer.note(
                .done(
                    try results(index, [.text("\(list[index]) by \(version.parts.count)")]), host: "here",
                    ExampleCost(nanoseconds: 1000), attempts: 1), in: ledger)
        }
        try writer.close()
        return (undone, ledger.edit)
    }

    @Test("the same is not done again, and what has changed is named")
    func changes() throws {
        let scratch = try JournalScratch()
        #expect(try run(scratch, ["a", "b"], version("w", "h")).done == [0, 1])
        // Another text, with the same reached code.
        var (done, edit) = try run(scratch, ["a", "b"], version("w", "h", text: "-- edited"))
        #expect(done == [] && edit == .init(isOfText: true, outdated: 0, done: 2, changes: []))
        // The new text is known from then on.
        #expect(try run(scratch, ["a", "b"], version("w", "h", text: "-- edited")).edit == nil)
        (done, edit) = try run(scratch, ["a", "b", "c"], version("w", "H", text: "edited"))
        #expect(done == [0, 1, 2])
        #expect(edit == .init(isOfText: true, outdated: 2, done: 2, changes: ["helper (job.lua:1)"]))
        #expect(try scratch.query("SELECT count(*) FROM results") == ["3"])
        // The text is the same, but what it reaches elsewhere has changed.
        (done, edit) = try run(scratch, ["c"], version("W", "H", text: "edited"))
        #expect(done == [0] && edit == .init(isOfText: false, outdated: 3, done: 3, changes: ["work (job.lua:3)"]))
        #expect(try scratch.records().count == 3)
    }

    @Test("rows stay until others take their places, and each is judged by what it was made with")
    func mixture() throws {
        let scratch = try JournalScratch()
        try run(scratch, ["a", "b", "c"], version("w", "1"))
        // The job ended before everything was done again.
        let file = try scratch.open()
        let ledger = try file.rows().ledger(code: version("w", "2"))
        for example in ["a", "b", "c"] { #expect(add(example, to: ledger).stored == nil) }
        let writer = try JournalWriter(file, ledger) { Issue.record("\($0)") }
        writer.note(
            .done(try results(1, [.text("new")]), host: "here", ExampleCost(nanoseconds: 1), attempts: 1), in: ledger)
        try writer.close()
        #expect(try scratch.query("SELECT example FROM results ORDER BY example") == ["1", "2", "3"])
        #expect(try run(scratch, ["a", "b", "c"], version("w", "2")).done == [0, 2])
        #expect(try run(scratch, ["a", "b", "c"], version("w", "2")).done == [])
        // A version without any rows is forgotten when the journal is opened again.
        try scratch.open().rows().ledger(code: version("w", "2")).complete()
        #expect(try scratch.query("SELECT count(*) FROM meta WHERE name LIKE 'version %'") == ["1"])
    }

    @Test("where nobody can know, the text decides, and a change of it is refused")
    func unknown() throws {
        let scratch = try JournalScratch()
        let reads = "reads a file by io.open (job.lua:4)"
        try run(scratch, ["a"], version("w", "h", obstacle: reads))
        let refusal = message { try run(scratch, ["a"], version("w", "h", text: "edited", obstacle: reads)) }
        for words in ["before it was changed", reads, "--keep", "--fresh"] {
            #expect(refusal.contains(words), "\(refusal)")
        }
        // Also where it is known now and was not before.
        #expect(
            message { try run(scratch, ["a"], version("w", "h", text: "edited")) }.contains(
                "before, the function \(reads)"))
        // The refusal has lost nothing.
        #expect(try run(scratch, ["a"], version("w", "h", obstacle: reads)).done == [])
        #expect(try run(scratch, ["a"], version("w", "h", text: "edited"), .keep).done == [])
        #expect(try run(scratch, ["a"], version("w", "h", text: "edited")).done == [])
        // Visible changes count all the same.
        let (done, edit) = try run(scratch, ["a"], version("W", "h", text: "edited", obstacle: reads))
        #expect(done == [0] && edit?.changes == ["work (job.lua:3)"])
    }

    @Test("a value of an unchanged script may be another one in each process: it is told, and nothing done again")
    func drift() throws {
        let scratch = try JournalScratch()
        try run(scratch, ["a"], version("w", "h", value: "1"))
        let (done, edit) = try run(scratch, ["a"], version("w", "h", value: "2"))
        #expect(
            done == [] && edit == .init(isOfText: false, outdated: 0, done: 1, changes: ["rate, met at job.lua:3,"]))
        // If the script or one of its modules has changed, the value must be the same as before.
        #expect(try run(scratch, ["a"], version("w", "h", text: "edited", value: "3")).done == [0])
        #expect(try run(scratch, ["a"], version("w", "h", text: "edited", value: "4", modules: "m")).done == [0])
        #expect(try run(scratch, ["a"], version("w", "h", text: "edited", value: "4", modules: "n")).done == [])
    }

    @Test("one stage that is kept leaves another with the same function as it was")
    func keptStage() throws {
        let scratch = try JournalScratch()
        for stage in ["a", "b"] { try run(scratch, ["x"], version("f", "h"), of: stage) }
        #expect(try run(scratch, ["x"], version("g", "h"), .keep, of: "b").done == [])
        #expect(try run(scratch, ["x"], version("f", "h"), of: "a").done == [])
        #expect(try run(scratch, ["x"], version("g", "h"), of: "a").done == [0])
    }

    @Test("a hundred thousand parts are compared soon")
    func many() throws {
        let identity = JournalIdentity(script: "job.lua", text: .empty, arguments: [], seed: 0)
        func version(_ word: String) -> CodeVersion {
            let parts = (0..<100_000).map {
                CodeVersion.Part(name: "t", place: "job.lua:1", digest: digest("\(word)\($0)"))
            }
            return CodeVersion(identity, modules: digest(""), reach: digest(word), parts: parts, obstacles: [])
        }
        #expect(version("a").fit(version("b")) == .changed(["t (job.lua:1)"]))
    }

    @Test("another script that reaches the same goes on, and another one is refused")
    func scripts() throws {
        let scratch = try JournalScratch()
        try run(scratch, ["a"], version("w", "h"))
        #expect(try run(scratch, ["a"], version("w", "h", text: "edited", script: "there/renamed.lua")).done == [])
        let refusal = message { try run(scratch, ["a"], version("x", "h", script: "other.lua")) }
        #expect(refusal.contains("was made by there/renamed.lua, not by other.lua"), "\(refusal)")
    }

    @Test("stages are judged by their own functions")
    func stages() throws {
        let scratch = try JournalScratch()
        try run(scratch, ["a"], version("w", "1"), of: "first")
        try run(scratch, ["a"], version("v", "1"), of: "second")
        #expect(try run(scratch, ["a"], version("w", "2"), of: "first").done == [0])
        #expect(try run(scratch, ["a"], version("v", "1"), of: "second").done == [])
    }

    @Test("rows of before there were versions are those of their script's text")
    func older() throws {
        let scratch = try JournalScratch()
        try scratch.run(["a"])
        try scratch.makeOlder(2)
        #expect(
            message { try run(scratch, ["a"], version("w", "h", text: "edited")) }.contains(
                "do not say what they were made with"))
        #expect(try run(scratch, ["a"], version("w", "h")).done == [])
        #expect(try run(scratch, ["a"], version("w", "h")).done == [])
    }

    @Test("what was made with something that the journal has lost is not believed")
    func lost() throws {
        let scratch = try JournalScratch()
        try run(scratch, ["a"], version("w", "h"))
        try Database(path: scratch.path, .readWrite).execute("DELETE FROM meta WHERE name LIKE 'version %'")
        #expect(message { try run(scratch, ["a"], version("w", "h")) }.contains("does not fit its checksum"))
        try Database(path: scratch.path, .readWrite).execute("UPDATE results SET version = 7")
        #expect(message { try run(scratch, ["a"], version("w", "h"), .keep) }.isEmpty)
    }
}
