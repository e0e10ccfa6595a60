import DLP

/// Puts what has become of examples into the tables of a journal.
final class RowWriter {
    private let database: Database
    private let set: Statement
    private let move: Statement
    private let setLength: Statement
    private var renderer = JSONRenderer()
    private var text = ByteWriter()
    private var knownLength: Int?

    /// SQLite holds no longer strings.
    private static let longestText = 1_000_000_000

    init(_ database: Database) throws(SQLiteError) {
        self.database = database
        set = try Statement(
            database,
            """
            INSERT OR REPLACE INTO results
              (example, digest, occurrence, state, seconds, rank, host, attempts, result, json, error, traceback, finished)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, strftime('%Y-%m-%dT%H:%M:%fZ', ?, 'unixepoch'))
            """)
        move = try Statement(database, "UPDATE results SET example = ? WHERE id = ?")
        setLength = try Statement(database, "INSERT OR REPLACE INTO meta VALUES ('examples', ?)")
    }

    /// Writes all of them, or none.
    func write(_ entries: [DatedEntry], _ ledger: ExampleLedger) throws(SQLiteError) {
        // Before the entries: one of them may replace a row that is moved.
        let (moves, length) = ledger.takeMoves()
        do throws(SQLiteError) {
            try database.transaction { () throws(SQLiteError) in
                for move in moves { try write(move) }
                if length != knownLength { try write(length: length) }
                for entry in entries { try write(entry, ledger) }
            }
        } catch {
            ledger.giveBack(moves)
            throw error
        }
        knownLength = length
    }

    private func write(_ change: ExampleLedger.Move) throws(SQLiteError) {
        try move.bind(1, change.index.map { Int64($0 + 1) })
        try move.bind(2, change.row)
        try move.run()
    }

    private func write(length: Int?) throws(SQLiteError) {
        try setLength.bind(1, length.map { Int64($0) })
        try setLength.run()
    }

    private func write(_ dated: DatedEntry, _ ledger: ExampleLedger) throws(SQLiteError) {
        try set.bind(13, dated.time)
        switch dated.entry {
        case .done(let run, let host, let nanoseconds, let attempts):
            try set.bind(4, "done")
            try set.bind(5, Double(nanoseconds) / 1e9 / Double(max(run.count, 1)))
            try set.bind(6, Int64(run.rank))
            try set.bind(7, host)
            try set.bind(8, Int64(attempts))
            try set.bindNull(11)
            try set.bindNull(12)
            try write(run, ledger)
        case .failed(let fault):
            guard let example = fault.example, try bindKey(example - 1, ledger) else { return }
            try set.bind(4, "failed")
            try set.bindNull(5)
            try set.bind(6, Int64(fault.rank))
            try set.bind(7, fault.host)
            try set.bind(8, Int64(fault.attempts))
            try set.bindNull(9)
            try set.bindNull(10)
            try set.bind(11, fault.message)
            try set.bind(12, fault.traceback)
            try set.run()
        }
    }

    /// Binds what tells the example at `index` from others; returns whether there is one.
    private func bindKey(_ index: Int, _ ledger: ExampleLedger) throws(SQLiteError) -> Bool {
        guard let key = ledger.key(of: index) else { return false }
        try set.bind(1, Int64(index + 1))
        try key.digest.bytes.withUnsafeBytes { (digest) throws(SQLiteError) in try set.bind(2, blob: digest) }
        try set.bind(3, Int64(key.occurrence))
        return true
    }

    private func write(_ run: ResultRun, _ ledger: ExampleLedger) throws(SQLiteError) {
        try run.results.withUnsafeBytes { (results) throws(SQLiteError) in
            var reader = CBORReader(results)
            for number in 0..<run.count {
                let start = reader.position
                // What is no item the script cannot read either, and there the job ends.
                guard (try? reader.skip()) != nil else { return }
                let item = UnsafeRawBufferPointer(rebasing: results[start..<reader.position])
                guard try bindKey(run.first + number * run.stride, ledger) else { return }
                try set.bind(9, blob: item)
                try bindJSON(of: item)
                try set.run()
            }
        }
    }

    private func bindJSON(of item: UnsafeRawBufferPointer) throws(SQLiteError) {
        text.truncate(to: 0)
        guard (try? renderer.render(item, into: &text)) != nil, text.count <= Self.longestText else {
            return try set.bindNull(10)
        }
        try database.check(text.withUnsafeMutableBytes { set.bindText(10, UnsafeRawBufferPointer($0)) })
    }
}
