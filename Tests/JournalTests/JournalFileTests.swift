import DLP
import Glibc
import Planning
import Testing

@testable import Journal

/// The owner of a journal, and files that are not journals.
struct JournalFileTests {
    @Test("a new journal says whose it is")
    func create() throws {
        let scratch = try JournalScratch()
        try scratch.open(seed: 7).close()
        let meta = try scratch.query("SELECT name || '=' || value FROM meta ORDER BY name")
        #expect(meta.count == 9 && meta[0] == "arguments=[]" && meta[1] == "checked_from=0")
        #expect(meta[2].hasPrefix("checksum="))
        #expect(meta[3].hasPrefix("created=20"))
        #expect(meta[4] == "dlp_lua=\(Version.current)")
        #expect(meta[5] == "format=7")
        #expect(meta[6] == "script=job.lua")
        #expect(meta[7].hasPrefix("script_digest=") && meta[7].utf8.count == 14 + 32)
        #expect(meta[8] == "seed=7")
        #expect(scratch.names == ["run.db"])
        #expect(JournalFile.seed(at: scratch.path) == 7)
    }

    @Test("what the examples of the latest list have cost is in its order, the newest where several have a place")
    func measured() throws {
        let scratch = try JournalScratch()
        try scratch.run(["a", "b", "c"]) { $0 == 1 }
        try scratch.run(["c", "b"])
        let (measured, flaws) = try JournalReader(path: SystemString(scratch.path)).measuredExamples(of: nil)
        #expect(measured.seconds == [0.001, 0.001] && measured.peaks == [4096, 4096] && flaws == nil, "\(measured)")
        #expect(measured.ranksPerHost == 1)
        #expect(try JournalReader(path: SystemString(scratch.path)).measuredExamples(of: "x").0.seconds.isEmpty)
        try Database(path: SystemString(scratch.path), .readWrite).execute(
            "UPDATE results SET seconds = 5.0 WHERE id = 1")
        let broken = try JournalReader(path: SystemString(scratch.path)).measuredExamples(of: nil)
        #expect(broken.flaws?.contains("row 1 (its checksum does not fit)") == true, "\(broken)")
    }

    @Test("what a journal says about itself is read as it is at one moment, however often a job changes it")
    func readMeanwhile() async throws {
        let scratch = try JournalScratch()
        try scratch.open().close()
        let path = SystemString(scratch.path)
        let writer = Task.detached {
            let database = try Database(path: path, .readWrite)
            try database.execute("PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF")
            for number in 0..<3000 {
                try database.transaction { () throws(SQLiteError) in
                    try database.execute("UPDATE meta SET value = \(number) WHERE name = 'seed'")
                    try JournalHeader.seal(database)
                }
            }
        }
        let database = try Database(path: path, .readWrite)
        var torn = 0
        for _ in 0..<3000 where try JournalHeader.read(database, path: path)?.isSound != true { torn += 1 }
        #expect(torn == 0)
        try await writer.value
    }

    @Test("its own journal is gone on with, wherever the script lies now")
    func goOn() throws {
        let scratch = try JournalScratch()
        try scratch.run(["a"])
        #expect(try scratch.open(script: "elsewhere/job.lua").rows().ledger().add(digest("a")).stored != nil)
    }

    @Test(
        "a journal of something else is refused with the remedy, unless --keep or --fresh says what is meant",
        arguments: [
            ("other.lua", "work = error", 0, "was made by job.lua, not by other.lua"),
            ("job.lua", "work = error", 0, "was made by job.lua before it was changed"),
            ("job.lua", "work = print", 7, "was made with --seed 0, not 7"),
        ] as [(SystemString, String, Int64, String)])
    func refusal(_ script: SystemString, _ text: String, _ seed: Int64, _ reason: String) throws {
        let scratch = try JournalScratch()
        try scratch.run(["a", "b"])
        let refusal = message { _ = try scratch.open(script: script, text: text, seed: seed).rows().ledger() }
        #expect(refusal.contains(reason) && refusal.contains("--keep") && refusal.contains("--fresh"), "\(refusal)")
        #expect(try scratch.records().count == 2)

        // The kept journal belongs to this script from then on.
        for policy in [JournalPolicy.keep, .goOn] {
            let file = try scratch.open(policy, script: script, text: text, seed: seed)
            let ledger = try file.rows().ledger()
            #expect(ledger.add(digest("a")).stored != nil)
            try JournalWriter(file, ledger) { Issue.record("\($0)") }.close()
        }
        #expect(try scratch.open(.fresh).read().contents.rows.isEmpty)
        #expect(try scratch.open().read().contents.rows.isEmpty)
    }

    @Test("two jobs do not write one journal at a time", arguments: [CommitMode.writeAhead, .rollback])
    func lock(_ mode: CommitMode) throws {
        let scratch = try JournalScratch()
        let file = try scratch.open(mode: mode)
        for policy in [JournalPolicy.goOn, .keep, .fresh] {
            #expect(message { _ = try scratch.open(policy, mode: mode) }.contains("another job writes the journal"))
        }
        file.close()
        #expect(throws: Never.self) { try scratch.open(mode: mode) }
    }

    @Test("what is no journal is left as it is", arguments: [JournalPolicy.goOn, .keep, .fresh])
    func foreign(_ policy: JournalPolicy) throws {
        let scratch = try JournalScratch()
        let text = Array("function work(n) return n end\n".utf8)
        for bytes in [text, Array(repeating: text, count: 1_000).flatMap { $0 }] {
            try scratch.write(bytes)
            #expect(message { _ = try scratch.open(policy) }.contains("is no journal of dlp-lua"))
            #expect(try scratch.read() == bytes)
        }
        try scratch.write([])
        let other = try Database(path: scratch.path, .readWrite)
        try other.execute("CREATE TABLE meta (name, value); CREATE TABLE results (id)")
        let bytes = try scratch.read()
        #expect(message { _ = try scratch.open(policy) }.contains("is no journal of dlp-lua"))
        #expect(message { _ = try JournalReader(path: scratch.path) }.contains("is no journal of dlp-lua"))
        #expect(try scratch.read() == bytes)
    }

    @Test("a journal in a newer format is refused, and may be begun anew")
    func newer() throws {
        let scratch = try JournalScratch()
        try scratch.run(["a"])
        try Database(path: scratch.path, .readWrite).execute("UPDATE meta SET value = 8 WHERE name = 'format'")
        #expect(message { _ = try scratch.open(.keep) }.contains("was made by a newer dlp-lua"))
        #expect(try scratch.open(.fresh).read().contents.rows.isEmpty)
    }

    @Test("a journal in an older format is gone on with, and its new rows are checked", arguments: [1, 2])
    func older(_ format: Int) throws {
        let scratch = try JournalScratch()
        try scratch.run(["a", "b"]) { $0 == 1 }
        try scratch.makeOlder(format)
        #expect(try scratch.records().map { $0.json } == ["\"done a\"", nil])
        try scratch.run(["c", "b", "a"])
        #expect(try scratch.query("SELECT value FROM meta WHERE name = 'format'") == ["7"])
        #expect(
            try scratch.query("SELECT json FROM results ORDER BY example") == ["c", "b", "a"].map { "\"done \($0)\"" })
        // The older row that was done has no checksum; the new rows must keep theirs.
        #expect(try scratch.query("SELECT json FROM results WHERE checksum IS NULL") == ["\"done a\""])
        try Database(path: scratch.path, .readWrite).execute("UPDATE results SET checksum = NULL")
        #expect(try scratch.open(.keep).read().contents.broken.count == 2)
    }

    @Test("a journal of before rows had a beginning and a peak is gone on with, its rows still prove themselves")
    func withoutPeaks() throws {
        let scratch = try JournalScratch()
        try scratch.runWithoutCosts(["a", "b"])
        do {
            let older = try Database(path: scratch.path, .readWrite)
            for column in ["started", "peak"] { try older.execute("ALTER TABLE results DROP COLUMN \(column)") }
            try older.execute("UPDATE meta SET value = 4 WHERE name = 'format'")
            try JournalHeader.seal(older)
        }
        #expect(try scratch.records().map { $0.json } == ["\"done a\"", "\"done b\""])
        #expect(try scratch.records().allSatisfy { $0.peak == nil && $0.started == nil })
        try scratch.run(["b", "a", "c"])
        #expect(try scratch.open(.goOn).read().contents.broken.isEmpty)
        #expect(try scratch.query("SELECT peak FROM results ORDER BY example") == ["NULL", "NULL", "4096"])
        #expect(try scratch.records().map { $0.started != nil } == [false, false, true])
    }

    @Test("a file that cannot be there is the system's error")
    func impossible() throws {
        let identity = JournalIdentity(script: "job.lua", text: .empty, arguments: [], seed: 0)
        for (path, reason) in [("/tmp", "Is a directory"), ("/nowhere/run.db", "No such file or directory")] {
            let refusal = message { _ = try JournalFile(path: path, identity: identity, policy: .goOn) }
            #expect(refusal == "cannot open the journal \(path): \(reason)")
        }
        let missing = message { _ = try JournalReader(path: "/nowhere/run.db") }
        #expect(missing == "cannot open the journal /nowhere/run.db: No such file or directory")
    }

    @Test(
        "names that mean something to SQLite are files like others", arguments: [":memory:", "file:run.db?mode=memory"])
    func names(_ name: String) throws {
        let scratch = try JournalScratch()
        let directory = try #require(getcwd(nil, 0))
        defer { free(directory) }
        let path = "\(scratch.directory)/\(name)"
        let identity = JournalIdentity(script: "job.lua", text: .empty, arguments: [], seed: 0)
        try JournalFile(path: path, identity: identity, policy: .goOn).close()
        #expect(scratch.names == [name])
    }

    @Test("a damaged journal is an error, and no crash", arguments: 0..<60)
    func damage(_ seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let scratch = try JournalScratch()
        try scratch.run((0..<300).map { "example \($0)" })
        var bytes = try scratch.read()
        if Bool.random(using: &random) {
            bytes.removeLast(Int.random(in: 1..<bytes.count, using: &random))
        } else {
            let place = Int.random(in: 0..<bytes.count, using: &random)
            for index in place..<min(place + 4_000, bytes.count) { bytes[index] = .random(in: 0...255, using: &random) }
        }
        try scratch.write(bytes)
        // Some damage cannot be detected. Detected damage is reported in one sentence that names the file.
        let complaint = message {
            try scratch.run(["example 1", "something new"])
            _ = try scratch.records()
        }
        #expect(complaint == "" || complaint.contains(scratch.path), "seed \(seed): \(complaint)")
    }
}
