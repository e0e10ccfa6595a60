import DLP
import Glibc
import Synchronization
import TestSupport
import Testing

@testable import Journal

/// What the user of a journal's watch sees, and what it costs the job that writes the journal.
@Suite(.hangLimit)
struct JournalWatchTests {
    @Test("what is done and what has failed is counted, and of a failure that is mended nothing remains")
    func counts() throws {
        let scratch = try JournalScratch()
        try scratch.run(["a", "b", "c", "d"]) { $0 == 1 || $0 == 2 }
        usleep(10_000)  // The rows have milliseconds, rounded.
        let watch = try JournalWatch(path: SystemString(scratch.path))
        let look = try watch.look()
        #expect(look.done == 4 && look.failed == 2 && look.total == 4 && !look.isWritten)
        #expect(look.failures.map { $0.example } == [2, 1] && look.failures.allSatisfy { $0.error == "job.lua:1: no" })
        #expect(look.rate ?? 0 > 0)

        try scratch.run(["a", "b", "c", "d"]) { $0 == 1 }
        try eventually("all is counted again") { try watch.look().failed == 1 }
        #expect(try watch.look().done == 4)
    }

    @Test("what ranks do is there while somebody watches, and only then")
    func ranks() throws {
        let scratch = try JournalScratch()
        let file = try scratch.open()
        let writer = try JournalWriter(file, try file.rows().ledger()) { Issue.record("\($0)") }
        let answer = [
            WatchedRank(rank: 0, host: "here", work: (4, 2), since: 17.5),
            WatchedRank(rank: 1, host: nil, work: nil, since: 18),
            WatchedRank(rank: 2, host: "there", work: nil, since: 19, isLost: true),
        ]
        let asked = Mutex(0)
        writer.askForRanks { pass in
            asked.withLock { $0 += 1 }
            pass(answer)
        }
        // The writer looks at once, and then not again for a second.
        usleep(100_000)
        #expect(asked.withLock { $0 } == 0)
        var watch: JournalWatch? = try JournalWatch(path: SystemString(scratch.path))
        try eventually("what ranks do is written") { try watch.map { try "\($0.look().ranks)" } == "\(answer)" }
        #expect(try watch?.look().isWritten == true)

        watch = nil
        let count = asked.withLock { $0 }
        // A watch that looked at the same moment may have been noticed.
        sleep(2)
        #expect(asked.withLock { $0 } <= count + 1)
        try writer.close()
        #expect(try scratch.query("SELECT name FROM sqlite_schema WHERE name = 'dlp_ranks'").isEmpty)
    }

    @Test("what a killed job has said of its ranks is gone when the next one begins")
    func leftover() throws {
        let scratch = try JournalScratch()
        try scratch.run(["a"])
        try RankTable(Database(path: SystemString(scratch.path), .readWrite)).write([
            WatchedRank(rank: 7, host: "gone", work: (0, 1), since: 1)
        ])
        let watch = try JournalWatch(path: SystemString(scratch.path))
        #expect(try watch.look().ranks.isEmpty, "nobody writes it")
        let file = try scratch.open()
        #expect(try watch.look().isWritten && watch.look().ranks.isEmpty)
        file.close()
    }

    @Test("a table of ranks that somebody has changed is no reason to end")
    func changed() throws {
        let scratch = try JournalScratch()
        let file = try scratch.open()
        try RankTable(Database(path: SystemString(scratch.path), .readWrite)).write([
            WatchedRank(rank: 0, host: nil, work: (0, 1), since: 1)
        ])
        let watch = try JournalWatch(path: SystemString(scratch.path))
        for (text, first) in [("-9223372036854775808", 0), ("9223372036854775807", Int(JournalRow.largestNumber) - 1)] {
            let other = try Database(path: SystemString(scratch.path), .readWrite)
            try other.execute("UPDATE dlp_ranks SET example = \(text), count = \(text), since = \(text)")
            #expect(try watch.look().ranks.map { $0.work?.first } == [first])
        }
        file.close()
    }

    @Test("a journal that is gone, or another one, is not shown as the one that was watched")
    func replaced() throws {
        let scratch = try JournalScratch()
        try scratch.run(["a"])
        let watch = try JournalWatch(path: SystemString(scratch.path))
        let bytes = try scratch.read()
        unlink(scratch.path)
        #expect(message { _ = try watch.look() }.contains("cannot open the journal"))
        try scratch.write(bytes)
        #expect(message { _ = try watch.look() }.contains("another file has taken the place"))
    }

    @Test("the pace is that of the stage that is shown")
    func pace() throws {
        let scratch = try JournalScratch()
        let file = try scratch.open()
        let rows = try file.rows()
        let first = try rows.ledger(of: "first")
        for name in 1...500 { add("\(name)", to: first) }
        let writer = try JournalWriter(file, first) { Issue.record("\($0)") }
        for index in 0..<500 {
            writer.note(
                .done(try results(index, [.text("x")]), host: "here", ExampleCost(nanoseconds: 1), attempts: 1),
                in: first)
        }
        let second = try rows.ledger(of: "second")
        add("a", to: second)
        writer.add(second)
        writer.note(
            .done(try results(0, [.text("y")]), host: "here", ExampleCost(nanoseconds: 1), attempts: 1), in: second)
        try writer.close()
        usleep(50_000)
        let look = try JournalWatch(path: SystemString(scratch.path)).look()
        #expect(look.stage == "second" && look.done == 1 && look.rate ?? 0 < 100, "\(look)")
    }

    @Test("a stage is followed by its name, and else the one that is at work")
    func stages() throws {
        let scratch = try JournalScratch()
        let file = try scratch.open()
        let rows = try file.rows()
        let first = try rows.ledger(of: "first")
        add("a", to: first)
        let second = try rows.ledger(of: "second")
        for name in ["a", "b"] { add(name, to: second) }
        let writer = try JournalWriter(file, first, second) { Issue.record("\($0)") }
        writer.note(
            .done(try results(0, [.text("x")]), host: "here", ExampleCost(nanoseconds: 1), attempts: 1), in: first)
        writer.note(
            .done(try results(0, [.text("y"), .text("z")]), host: "here", ExampleCost(nanoseconds: 1), attempts: 1),
            in: second)
        try writer.close()
        let latest = try JournalWatch(path: SystemString(scratch.path)).look()
        #expect(latest.stage == "second" && latest.done == 2)
        #expect(try JournalWatch(path: SystemString(scratch.path), stage: "first").look().done == 1)
    }

    @Test("what is no journal is not watched")
    func strangers() throws {
        let scratch = try JournalScratch()
        #expect(message { _ = try JournalWatch(path: SystemString(scratch.path)) }.contains("cannot open the journal"))
        try scratch.write(Array("no database".utf8))
        #expect(message { _ = try JournalWatch(path: SystemString(scratch.path)) }.contains("no journal of dlp-lua"))
    }
}
