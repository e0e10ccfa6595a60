import CSQLite
import DLP
import Planning
import TestSupport
import Testing

@testable import Journal

/// A row of a journal is used only if its proof is valid.
@Suite(.hangLimit)
struct JournalProofTests {
    private static let list = (0..<40).map { "example \($0)" }

    /// A journal of some examples that are done and some that have failed.
    private func scratch() throws -> JournalScratch {
        let scratch = try JournalScratch()
        try scratch.run(Self.list) { $0 % 8 == 5 }
        return scratch
    }

    /// Returns the results for the list that a job would take from the journal, by index.
    private func stored(in file: JournalFile) throws -> [Int: Bytes] {
        let ledger = try file.rows().ledger()
        let results = try StoredResults(file.place)
        var found: [Int: Bytes] = [:]
        for example in Self.list {
            let (index, stored) = add(example, to: ledger)
            guard let stored else { continue }
            var writer = ByteWriter()
            try results.append(stored, to: &writer)
            found[index] = writer.finish()
        }
        return found
    }

    /// Whether every result is the one that the job made.
    private func areRight(_ found: [Int: Bytes]) throws -> Bool {
        try found.allSatisfy { index, result in try result == Value.text("done \(Self.list[index])").encoded() }
    }

    @Test("no flipped bit makes a wrong result", arguments: 0..<150)
    func flippedBit(_ seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let scratch = try scratch()
        let bytes = try scratch.read()
        for _ in 0..<4 {
            var damaged = bytes
            damaged[Int.random(in: damaged.indices, using: &random)] ^= 1 << Int.random(in: 0..<8, using: &random)
            try scratch.write(damaged)
            for policy in [JournalPolicy.goOn, .keep] {
                do {
                    let found = try stored(in: scratch.open(policy))
                    #expect(try areRight(found), "seed \(seed)")
                } catch let error as JournalError {
                    #expect(error.description.contains(scratch.path), "seed \(seed): \(error)")
                }
            }
            try scratch.write(damaged)
            do {
                _ = try JournalReader(path: scratch.path).forEach { record in
                    guard let index = record.index, Self.list.indices.contains(index) else {
                        Issue.record("seed \(seed): a wrong index")
                        return
                    }
                    let isFailed = index % 8 == 5
                    #expect(record.json == (isFailed ? nil : "\"done \(Self.list[index])\""), "seed \(seed)")
                    #expect(record.input == "\"\(Self.list[index])\"", "seed \(seed)")
                }
            } catch let error as JournalError {
                #expect(error.description.contains(scratch.path), "seed \(seed): \(error)")
            }
        }
    }

    @Test("what --keep takes can be written to, however much of the file is missing")
    func truncated() throws {
        let scratch = try JournalScratch()
        let list = (0..<300).map { "example \($0)" }
        try scratch.run(list)
        let bytes = try scratch.read()
        for length in stride(from: bytes.count, through: 0, by: -487) {
            try scratch.write(Array(bytes[..<length]))
            let complaint = message { _ = try scratch.open(.keep).rows().ledger() }
            guard complaint == "" else { continue }
            // Only examples that failed are of interest here.
            try scratch.run(list, .keep)
            #expect(try scratch.open().read().contents.broken.isEmpty, "\(length) of \(bytes.count)")
        }
    }

    /// Values that someone, or an accident, may have put into a column.
    private static let odd = [
        "NULL", "-9223372036854775808", "9223372036854775807", "-1", "0", "1", "4294967296", "9e999", "-0.5", "0.5",
        "''",
        "'done'", "'failed'", "'x' || char(0) || 'y'", "x''", "x'00'", "x'0102'", "x'ff'", "x'1a'", "zeroblob(16)",
        "x'5f'", "x'c100'", "x'fffe'", "CAST(x'ff80' AS TEXT)",
    ]

    @Test("no value in any column traps, or is taken for what it is not", arguments: JournalSchema.columns, [3, 2])
    func oddValue(_ column: String, _ format: Int) throws {
        let scratch = try scratch()
        if format == 2 { try scratch.makeOlder(2) }
        let isAdded = JournalSchema.added.contains { $0.name == column }
        guard format == 3 || !isAdded else { return }
        let bytes = try scratch.read()
        for value in Self.odd {
            try scratch.write(bytes)
            let changed = message {
                let database = try Database(path: scratch.path, .readWrite)
                // Some values are impossible even so, because SQLite checks the row itself.
                try database.execute(
                    "PRAGMA ignore_check_constraints = ON; UPDATE results SET \(column) = \(value) WHERE id = 2")
            }
            guard changed == "" else { continue }
            let damaged = try scratch.read()
            _ = message { _ = try scratch.records() }
            for policy in [JournalPolicy.goOn, .keep] {
                try scratch.write(damaged)
                let complaint = message {
                    let found = try stored(in: scratch.open(policy))
                    // Only a checksum can distinguish one result from another.
                    if format == 3 { #expect(try areRight(found), "\(column) = \(value)") }
                }
                #expect(
                    complaint == ""
                        || policy == .goOn && complaint.contains("row ")
                            && complaint.contains("--keep does these examples again"),
                    "\(column) = \(value): \(complaint)")
            }
        }
    }

    @Test("no value in the table meta traps, or makes a length that is none", arguments: odd)
    func oddMeta(_ value: String) throws {
        for name in ["examples", "format", "seed", "checked_from", "checksum", "script", "script_digest", "arguments"] {
            let scratch = try scratch()
            try Database(path: scratch.path, .readWrite).execute(
                "UPDATE meta SET value = \(value) WHERE name = '\(name)'")
            let length = (try? JournalReader(path: scratch.path))?.lengths[nil]
            #expect([nil, Self.list.count].contains(length ?? nil), "\(name) = \(value)")
            _ = message { _ = try stored(in: scratch.open()) }
            let complaint = message { _ = try stored(in: scratch.open(.keep)) }
            #expect(complaint == "" || complaint.contains("newer dlp-lua"), "\(name) = \(value): \(complaint)")
        }
    }

    @Test("rows that do not prove themselves are named, refused, and done again where that is wanted")
    func doneAgain() throws {
        let scratch = try scratch()
        try Database(path: scratch.path, .readWrite).execute(
            "UPDATE results SET result = result || result WHERE id = 3; UPDATE results SET json = '1' WHERE id = 7")
        let reasons = "row 3 (its result is not one value), row 7 (its checksum does not fit)"
        let refusal = message { _ = try scratch.open().rows().ledger() }
        #expect(
            refusal
                == "the journal \(scratch.path) does not prove itself: \(reasons); --keep does these examples again, "
                + "--fresh starts over")
        var count = 0
        let flaws = try JournalReader(path: scratch.path).forEach { _ in count += 1 }
        #expect(count == 38 && flaws == "the journal \(scratch.path) does not prove itself: left out: \(reasons)")

        let file = try scratch.open(.keep)
        let found = try stored(in: file)
        #expect(found.count == 33 && found[2] == nil && found[6] == nil)
        #expect(file.repair?.contains("\(reasons); these examples are done again") ?? false)
        file.close()
        try scratch.run(Self.list)
        #expect(try scratch.open().read().contents.broken.isEmpty)
        #expect(try scratch.records().count == 40)
    }
}
