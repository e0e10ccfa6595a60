import Glibc
import Simulation
import TestSupport
import Testing

/// Damage that a journal suffers between two starts of its job.
struct ChaosDamage: CustomStringConvertible {
    enum Kind: String, CaseIterable {
        case bits, cell, truncation
    }

    let kind: Kind
    private let seed: UInt64

    init(_ random: inout SeededGenerator) {
        kind = Kind.allCases.randomElement(using: &random) ?? .bits
        seed = random.next()
    }

    /// Its name in the statistics.
    var name: String { "\(kind)-journal" }

    var description: String { "\(kind) \(seed)" }

    /// SQL that changes a column's value, whatever it is.
    private static let changes = [
        "example = ifnull(example, 0) + 1", "digest = zeroblob(16)", "occurrence = occurrence + 1",
        "state = iif(state = 'done', 'failed', 'done')", "result = ifnull(result, x'') || x'01'", "result = x'f6f6'",
        "json = ifnull(json, '') || ' '", "seconds = ifnull(seconds, 0.0) + 1", "cpu = ifnull(cpu, 0.0) + 1",
        "rank = ifnull(rank, 0) + 1", "host = ifnull(host, '') || 'x'", "attempts = ifnull(attempts, 0) + 1",
        "error = ifnull(error, '') || 'x'", "traceback = ifnull(traceback, '') || 'x'",
        "finished = ifnull(finished, '') || 'x'", "input = ifnull(input, '') || ' '", "checksum = checksum + 1",
        "started = ifnull(started, '') || 'x'", "peak = ifnull(peak, 0) + 1",
    ]

    /// Damages the journal in a directory.
    ///
    /// - Returns: the row whose checksum fails now, where it is known, and a description of the damage.
    func strike(_ scratch: Scratch) throws -> (row: Int?, text: String) {
        var random = SeededGenerator(seed: seed)
        switch kind {
        case .cell:
            let change = Self.changes.randomElement(using: &random) ?? ""
            let rows = try query("SELECT id FROM results ORDER BY id", in: scratch).compactMap { Int($0) }
            guard let row = rows.randomElement(using: &random) else { return (nil, "there are no rows") }
            _ = try query("UPDATE results SET \(change) WHERE id = \(row)", in: scratch)
            return (row, "row \(row): \(change)")
        case .bits:
            let (name, bytes) = try bytes(in: scratch, &random)
            guard !bytes.isEmpty else { return (nil, "\(name) is empty") }
            var damaged = bytes
            var text = name
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                let place = Int.random(in: bytes.indices, using: &random)
                let bit = Int.random(in: 0..<8, using: &random)
                damaged[place] ^= 1 << bit
                text += " \(place).\(bit)"
            }
            try scratch.write(name, bytes: damaged)
            return (nil, text)
        case .truncation:
            let (name, bytes) = try bytes(in: scratch, &random)
            let length = Int.random(in: 0...bytes.count, using: &random)
            try scratch.write(name, bytes: Array(bytes[..<length]))
            return (nil, "\(name) is cut to \(length) of \(bytes.count)")
        }
    }

    /// Returns one of the journal's files; the database itself more often than its log.
    private func bytes(in scratch: Scratch, _ random: inout SeededGenerator) throws -> (name: String, bytes: [UInt8]) {
        let names = ["run.db", "run.db", "run.db-wal"].filter(scratch.names.contains)
        let name = names.randomElement(using: &random) ?? "run.db"
        return (name, scratch.bytes(name) ?? [])
    }

    private func query(_ text: String, in scratch: Scratch) throws -> [String] {
        let outcome = try run(
            "sqlite3 run.db", "PRAGMA ignore_check_constraints = ON; \(text)", in: scratch)
        try #require(outcome.status == 0, "\(outcome.error)")
        return outcome.lines
    }
}
