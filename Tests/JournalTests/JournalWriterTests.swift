import CSQLite
import DLP
import Glibc
import Synchronization
import TestSupport
import Testing

@testable import Journal

/// What a job notes, and what the journal holds afterwards.
@Suite(.hangLimit)
struct JournalWriterTests {
    @Test("what was noted is there, with all that is known of it", arguments: [CommitMode.writeAhead, .rollback])
    func note(_ mode: CommitMode) throws {
        let scratch = try JournalScratch()
        let file = try scratch.open(mode: mode)
        let ledger = try file.rows().ledger()
        for name in ["a", "b", "c", "a"] { #expect(add(name, to: ledger).stored == nil) }
        ledger.complete()
        let writer = try JournalWriter(file, ledger) { Issue.record("\($0)") }
        let spaced = try results(1, [.array([.integer(1), .text("é")]), .double(.nan)], stride: 2, rank: 5)
        writer.note(.done(spaced, host: "there", ExampleCost(nanoseconds: 3_000_000_000), attempts: 1), in: ledger)
        writer.note(.failed(fault(2)), in: ledger)
        try writer.close()

        let records = try scratch.records()
        #expect(records.map { $0.index } == [1, 2, 3])
        #expect(records.map { $0.json } == ["[1,\"é\"]", nil, "null"])
        #expect(try records[0].result == Value.array([.integer(1), .text("é")]).encoded())
        #expect(records[1].result == nil && records[1].error == "job.lua:1: no" && records[1].host == "there")
        #expect(records[0].rank == 5 && records[0].seconds == 1.5 && records[0].attempts == 1)
        #expect(records.map { $0.input } == ["\"b\"", "\"c\"", "\"a\""])
        #expect(try scratch.query("SELECT state FROM results ORDER BY example") == ["done", "failed", "done"])
        #expect(try scratch.query("SELECT occurrence FROM results ORDER BY example") == ["1", "1", "2"])
        #expect(try scratch.query("SELECT traceback FROM results WHERE example = 3") == ["stack traceback:"])
        // Times are in milliseconds, and less than one may have passed.
        #expect(
            try scratch.query(
                "SELECT finished >= created FROM results, (SELECT value AS created FROM meta WHERE name = 'created')")
                == ["1", "1", "1"])
        #expect(try JournalReader(path: scratch.path).lengths[nil] == 4)
        #expect(scratch.names == ["run.db"])
    }

    @Test("a row says when the first of those began that were reported with it, and their peak")
    func costs() throws {
        let scratch = try JournalScratch()
        let file = try scratch.open()
        let ledger = try file.rows().ledger()
        for name in ["a", "b", "c", "d"] { add(name, to: ledger) }
        let writer = try JournalWriter(file, ledger) { Issue.record("\($0)") }
        let two = ExampleCost(nanoseconds: 4_000_000_000, cpu: 1_000_000_000, peak: 1 << 33, age: 10_000_000_000)
        writer.note(.done(try results(0, [.integer(1), .integer(2)]), host: "here", two, attempts: 1), in: ledger)
        // The report of a rank with impossible values.
        let lie = ExampleCost(nanoseconds: .min, cpu: .min, peak: .min, age: .max)
        writer.note(.done(try results(2, [.integer(3)]), host: "here", lie, attempts: 1), in: ledger)
        var failure = fault(3)
        (failure.nanoseconds, failure.peak) = (2_000_000_000, 7)
        writer.note(.failed(failure), in: ledger)
        try writer.close()
        #expect(try scratch.open().read().contents.broken.isEmpty)
        let records = try scratch.records()
        #expect(records.map(\.peak) == [1 << 33, 1 << 33, nil, 7])
        let ages = try scratch.query(
            "SELECT CAST(round(86400 * (julianday(finished) - julianday(started))) AS INTEGER) FROM results ORDER BY example"
        )
        #expect(ages[0] == "10" && ages[1] == "10" && ages[3] == "2", "\(ages)")
        #expect(records[0].seconds == 2 && records[0].cpu == 0.5 && records[2].seconds == 0 && records[2].cpu == 0)
    }

    @Test("a result that JSON cannot hold is there all the same")
    func cycle() throws {
        let scratch = try JournalScratch()
        let file = try scratch.open()
        let ledger = try file.rows().ledger()
        _ = ledger.add(digest("a"))
        let writer = try JournalWriter(file, ledger) { Issue.record("\($0)") }
        let cycle = Value.tagged(28, .array([.tagged(29, .integer(0))]))
        writer.note(.done(try results(0, [cycle]), host: "here", ExampleCost(nanoseconds: 0), attempts: 1), in: ledger)
        try writer.close()
        let record = try #require(try scratch.records().first)
        #expect(record.json == nil)
        #expect(try record.result == cycle.encoded())
    }

    @Test("a job goes on where the last one was, and failed examples are done again")
    func goOn() throws {
        let scratch = try JournalScratch()
        try scratch.run(["a", "b", "c"]) { $0 == 1 }
        let file = try scratch.open()
        let ledger = try file.rows().ledger()
        let stored = ["a", "b", "c", "d"].map { ledger.add(digest($0)).stored }
        #expect(stored.map { $0 != nil } == [true, false, true, false])
        let journal = try StoredResults(file.place)
        var writer = ByteWriter()
        for place in stored { if let place { try journal.append(place, to: &writer) } }
        #expect(try writer.finish() == results(0, [.text("done a"), .text("done c")]).results)
    }

    @Test("an example that failed and is done now is done")
    func replaced() throws {
        let scratch = try JournalScratch()
        try scratch.run(["a", "b"]) { $0 == 1 }
        try scratch.run(["a", "b"])
        #expect(try scratch.query("SELECT state FROM results ORDER BY example") == ["done", "done"])
        #expect(try scratch.query("SELECT count(*) FROM results WHERE error IS NOT NULL") == ["0"])
    }

    @Test("results move with their examples, and those of examples that are gone have no place but stay")
    func moves() throws {
        let scratch = try JournalScratch()
        try scratch.run(["a", "b", "c", "d"]) { $0 == 3 }
        try scratch.run(["c", "d", "new", "a"]) { $0 == 1 }
        let places = "SELECT coalesce(example, 0) || ' ' || coalesce(json, error) FROM results ORDER BY example, json"
        #expect(
            try scratch.query(places) == [
                "0 \"done b\"", "1 \"done c\"", "2 job.lua:1: no", "3 \"done new\"", "4 \"done a\"",
            ])
        #expect(try scratch.records().map { $0.index } == [0, 1, 2, 3, nil])
        try scratch.run(["a", "b"])
        #expect(try scratch.records().prefix(2).map { $0.json } == ["\"done a\"", "\"done b\""])
        #expect(try scratch.open().read().contents.broken.isEmpty, "their checksums move with them")
        #expect(try scratch.query("SELECT value FROM meta WHERE name = 'examples'") == ["2"])
    }

    @Test(
        "what is noted can be read soon, although the job goes on", arguments: [CommitMode.writeAhead, .rollback])
    func visible(_ mode: CommitMode) throws {
        let scratch = try JournalScratch()
        let file = try scratch.open(mode: mode)
        let ledger = try file.rows().ledger()
        for number in 0..<3 { _ = ledger.add(digest("\(number)")) }
        let writer = try JournalWriter(file, ledger) { Issue.record("\($0)") }
        for number in 0..<3 {
            writer.note(
                .done(try results(number, [.integer(1)]), host: "here", ExampleCost(nanoseconds: 0), attempts: 1),
                in: ledger)
            try eventually("it is there") { try scratch.records().count == number + 1 }
        }
        try writer.close()
    }

    @Test("a reader that keeps the journal locked holds the writer up, and ends nothing")
    func reader() throws {
        let scratch = try JournalScratch()
        let file = try scratch.open(mode: .rollback)
        // SQLite itself gives up at once.
        try file.database.execute("PRAGMA busy_timeout = 1")
        let ledger = try file.rows().ledger()
        for number in 0..<2_000 { _ = ledger.add(digest("\(number)")) }
        let writer = try JournalWriter(file, ledger) { Issue.record("\($0)") }
        writer.note(
            .done(try results(0, [.integer(1)]), host: "here", ExampleCost(nanoseconds: 0), attempts: 1), in: ledger)
        try eventually("it is there") { try scratch.records().count == 1 }

        let reader = try Database(path: scratch.path, .readOnly)
        try reader.execute("BEGIN; SELECT count(*) FROM results")
        for number in 1..<2_000 {
            writer.note(
                .done(try results(number, [.integer(1)]), host: "here", ExampleCost(nanoseconds: 0), attempts: 1),
                in: ledger)
        }
        // Time for the writer to try in vain. If it has not come that far, it has nothing to wait for.
        usleep(500_000)
        try reader.execute("COMMIT")
        try writer.close()
        #expect(try scratch.records().count == 2_000)
    }

    @Test(
        "where the journal cannot be written any more the job learns why, and what was committed is kept",
        arguments: [CommitMode.writeAhead, .rollback])
    func full(_ mode: CommitMode) throws {
        let scratch = try JournalScratch()
        let file = try scratch.open(mode: mode)
        let ledger = try file.rows().ledger()
        for number in 0..<100 { _ = ledger.add(digest("\(number)")) }
        // Like a disk that is full after this number of pages.
        try file.database.execute("PRAGMA max_page_count = 40")
        let failures = Mutex<[JournalError]>([])
        let writer = try JournalWriter(file, ledger) { failure in failures.withLock { $0.append(failure) } }
        writer.note(
            .done(try results(0, [.integer(1)]), host: "here", ExampleCost(nanoseconds: 0), attempts: 1), in: ledger)
        try eventually("it is there") { try scratch.records().count == 1 }
        for number in 1..<100 {
            let large = Value.text(String(repeating: "x", count: 10_000))
            writer.note(
                .done(try results(number, [large]), host: "here", ExampleCost(nanoseconds: 0), attempts: 1), in: ledger)
        }
        try eventually("it fails") { failures.withLock { $0.count } > 0 }
        writer.note(
            .done(try results(5, [.integer(1)]), host: "here", ExampleCost(nanoseconds: 0), attempts: 1), in: ledger)
        writer.waitForRoom()
        let complaint = message { try writer.close() }
        #expect(complaint.contains("database or disk is full") && complaint.contains("what it holds is kept"))
        #expect(failures.withLock { $0.map { $0.description } } == [complaint])
        // A batch is written completely or not at all; the first one is complete.
        #expect(try scratch.records().count >= 1)
        #expect(try scratch.query("PRAGMA integrity_check") == ["ok"])
    }

    @Test("whoever brings more than can be written is made to wait")
    func room() throws {
        let scratch = try JournalScratch()
        let file = try scratch.open()
        let ledger = try file.rows().ledger()
        for number in 0..<40 { _ = ledger.add(digest("\(number)")) }
        let writer = try JournalWriter(file, [ledger], room: 100_000) { Issue.record("\($0)") }
        let large = Value.bytes([UInt8](repeating: 7, count: 50_000))
        for number in 0..<40 {
            writer.note(
                .done(try results(number, [large]), host: "here", ExampleCost(nanoseconds: 0), attempts: 1), in: ledger)
            writer.waitForRoom()
            #expect(writer.waiting < 150_000)
        }
        try writer.close()
        #expect(try scratch.query("SELECT count(*) FROM results") == ["40"])
    }
}
