import DLP

/// Puts what has become of examples into the tables of a journal.
final class RowWriter {
    private let database: Database
    private let insert: Statement
    private let delete: Statement
    private let move: Statement
    private let date: Statement
    private let setLength: Statement
    private var renderer = JSONRenderer()
    private var text = ByteWriter()
    private var knownLength: Int?

    /// SQLite holds no longer strings.
    private static let longestText = 1_000_000_000

    init(_ database: Database) throws(SQLiteError) {
        self.database = database
        insert = try Statement(
            database,
            """
            INSERT OR REPLACE INTO results
              (id, example, digest, occurrence, state, seconds, rank, host, attempts, result, json, error, traceback, finished)
            VALUES (?14, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)
            """)
        delete = try Statement(database, "DELETE FROM results WHERE id = ?")
        date = try Statement(database, "SELECT strftime('%Y-%m-%dT%H:%M:%fZ', ?, 'unixepoch')")
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
        try insert.bind(13, text(of: dated.time))
        switch dated.entry {
        case .done(let run, let host, let nanoseconds, let attempts):
            try insert.bind(4, "done")
            try insert.bind(5, Double(nanoseconds) / 1e9 / Double(max(run.count, 1)))
            try insert.bind(6, Int64(run.rank))
            try insert.bind(7, host)
            try insert.bind(8, Int64(attempts))
            try insert.bindNull(11)
            try insert.bindNull(12)
            try write(run, ledger.places(first: run.first, count: run.count, stride: run.stride))
        case .failed(let fault):
            guard let example = fault.example,
                let place = ledger.places(first: example - 1, count: 1).first
            else { return }
            try insert.bind(4, "failed")
            try insert.bindNull(5)
            try insert.bind(6, Int64(fault.rank))
            try insert.bind(7, fault.host)
            try insert.bind(8, Int64(fault.attempts))
            try insert.bindNull(9)
            try insert.bindNull(10)
            try insert.bind(11, fault.message)
            try insert.bind(12, fault.traceback)
            try insertRow(example - 1, place)
        }
    }

    /// A time in seconds since 1970 as the table has it.
    private func text(of time: Double) throws(SQLiteError) -> String? {
        defer { date.reset() }
        try date.bind(1, time)
        return try date.step() ? date.text(0) : nil
    }

    /// Inserts the row of the example at `index`, from 0, of which everything else is bound.
    private func insertRow(_ index: Int, _ place: ExampleLedger.Place) throws(SQLiteError) {
        if let replaced = place.replaced {
            try delete.bind(1, replaced)
            try delete.run()
        }
        try insert.bind(14, place.row)
        try insert.bind(1, Int64(index + 1))
        try insert.bind(3, Int64(place.key.occurrence))
        try withUnsafeBytes(of: place.key.digest.bigEndian) { (digest) throws(SQLiteError) in
            try insert.bind(2, borrowed: digest)
            try insert.run()
        }
    }

    private func write(_ run: ResultRun, _ places: [ExampleLedger.Place]) throws(SQLiteError) {
        try run.results.withUnsafeBytes { (results) throws(SQLiteError) in
            var reader = CBORReader(results)
            for (number, place) in places.enumerated() {
                let start = reader.position
                // What is no item the script cannot read either, and there the job ends.
                guard (try? reader.skip()) != nil else { return }
                let item = UnsafeRawBufferPointer(rebasing: results[start..<reader.position])
                try insert.bind(9, borrowed: item)
                try bindJSON(of: item)
                try insertRow(run.first + number * run.stride, place)
            }
        }
    }

    private func bindJSON(of item: UnsafeRawBufferPointer) throws(SQLiteError) {
        text.truncate(to: 0)
        guard (try? renderer.render(item, into: &text)) != nil, text.count <= Self.longestText else {
            return try insert.bindNull(10)
        }
        try database.check(text.withUnsafeMutableBytes { insert.bindText(10, UnsafeRawBufferPointer($0)) })
    }
}
