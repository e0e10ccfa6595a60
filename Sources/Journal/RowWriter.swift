import DLP

/// Writes the outcomes of examples to the tables of a journal.
final class RowWriter {
    private let database: Database
    private let insert: Statement
    private let delete: Statement
    private let move: Statement
    private let date: Statement
    private let setLength: Statement
    private var renderer = JSONRenderer()
    /// The texts of the current row.
    ///
    /// SQLite reads them in place.
    private var resultText = ByteWriter()
    private var inputText = ByteWriter()
    private var knownLengths: [String?: Int] = [:]

    /// The longest string that SQLite can store, in bytes.
    private static let longestText = 1_000_000_000
    private static let keptText = 1 << 20

    init(_ database: Database) throws(SQLiteError) {
        self.database = database
        // The table's checks are unnecessary for rows that are written here.
        try database.execute("PRAGMA ignore_check_constraints = ON")
        insert = try Statement(
            database,
            """
            INSERT OR REPLACE INTO results
              (id, example, digest, occurrence, state, seconds, rank, host, attempts, result, json, error, traceback, finished,
               input, cpu, stage, checksum, started, peak, version, trace)
            VALUES (?14, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?15, ?16, ?18, ?17, ?19, ?20, ?21, ?22)
            """)
        delete = try Statement(database, "DELETE FROM results WHERE id = ?")
        date = try Statement(database, "SELECT strftime('%Y-%m-%dT%H:%M:%fZ', ?, 'unixepoch')")
        move = try Statement(database, "UPDATE results SET example = ?1, \(RowChecksum.move) WHERE id = ?2")
        setLength = try Statement(database, "INSERT OR REPLACE INTO meta VALUES (?2, ?1)")
    }

    /// Writes all entries, or none.
    ///
    /// - Parameter ledgers: all ledgers that exist.
    func write(_ entries: [DatedEntry], of ledgers: [ExampleLedger]) throws(SQLiteError) {
        let changes = ledgers.map { $0.takeChanges() }
        do throws(SQLiteError) {
            try database.transaction { () throws(SQLiteError) in
                // Before the entries, because an entry may replace a row that is moved.
                for (ledger, change) in zip(ledgers, changes) {
                    for (number, version) in change.versions {
                        try JournalHeader.write(version, number: number, to: database)
                    }
                    for move in change.moves { try write(move) }
                    if change.length != knownLengths[ledger.stage] {
                        try write(length: change.length, of: ledger.stage)
                    }
                }
                for entry in entries { try write(entry) }
            }
        } catch {
            for (ledger, change) in zip(ledgers, changes) { ledger.giveBack(change) }
            throw error
        }
        for entry in entries {
            if case .done(let run, _, _, _) = entry.entry { entry.ledger.forgetTraces(of: run) }
        }
        for (ledger, change) in zip(ledgers, changes) { knownLengths[ledger.stage] = change.length }
    }

    private func write(_ change: ExampleLedger.Move) throws(SQLiteError) {
        try move.bind(1, change.index.map { Int64($0 + 1) })
        try move.bind(2, change.row)
        try move.run()
    }

    private func write(length: Int?, of stage: String?) throws(SQLiteError) {
        try setLength.bind(1, length.map { Int64($0) })
        try setLength.bind(2, JournalHeader.lengthName(of: stage))
        try setLength.run()
        try JournalHeader.seal(database)
    }

    private func write(_ dated: DatedEntry) throws(SQLiteError) {
        let ledger = dated.ledger
        let finished = try text(of: dated.time)
        switch dated.entry {
        case .done(let run, let host, let cost, let attempts):
            let checksum = try bind(
                "done", seconds: cost.seconds(of: run.count), cpu: cost.cpuSeconds(of: run.count), peak: cost.peak,
                rank: run.rank, host: host, attempts: attempts, started: try text(of: dated.time, before: cost.age),
                finished, of: ledger)
            let places = ledger.places(first: run.first, count: run.count, stride: run.stride, doneBy: run.rank)
            try write(run, places, checksum)
        case .failed(let fault):
            guard let example = fault.example,
                let place = ledger.places(first: example - 1, count: 1).first
            else { return }
            let checksum = try bind(
                "failed", seconds: fault.nanoseconds.map { Double($0) / 1e9 },
                cpu: fault.cpu.map { Double($0) / 1e9 }, peak: fault.peak, rank: fault.rank, host: fault.host,
                attempts: fault.attempts, error: fault.message, traceback: fault.traceback,
                started: try fault.nanoseconds.flatMap { (age) throws(SQLiteError) in
                    try text(of: dated.time, before: age)
                }, finished, of: ledger)
            try insertRow(example - 1, place, nil, checksum)
        }
    }

    /// Binds the values that the rows of a run have in common.
    ///
    /// - Returns: a checksum over these values.
    private func bind(
        _ state: String, seconds: Double?, cpu: Double?, peak: Int64?, rank: Int, host: String, attempts: Int,
        error: String? = nil, traceback: String? = nil, started: String?, _ finished: String?, of ledger: ExampleLedger
    ) throws(SQLiteError) -> RowChecksum {
        try insert.bind(4, state)
        try insert.bind(5, seconds)
        try insert.bind(16, cpu)
        try insert.bind(6, Int64(rank))
        try insert.bind(7, host)
        try insert.bind(8, Int64(attempts))
        try insert.bind(11, error)
        try insert.bind(12, traceback)
        try insert.bind(13, finished)
        try insert.bind(19, started)
        try insert.bind(20, peak)
        // In the order of `RowReader.commonColumns`.
        var checksum = RowChecksum()
        checksum.add(state)
        checksum.add(seconds)
        checksum.add(cpu)
        checksum.add(Int64(rank))
        checksum.add(host)
        checksum.add(Int64(attempts))
        checksum.add(error)
        checksum.add(traceback)
        checksum.add(finished)
        try insert.bind(21, ledger.version)
        checksum.add(ledger.version)
        try insert.bind(18, ledger.stage)
        // Rows from before there were stages have a checksum, too, so the stage is added only if there is one.
        if let stage = ledger.stage { checksum.add(stage) }
        // The same holds for rows from before these two columns. The null distinguishes them from a stage.
        if started != nil || peak != nil {
            checksum.addNull()
            checksum.add(started)
            checksum.add(peak)
        }
        return checksum
    }

    /// A time in seconds since 1970, or `age` nanoseconds before it, in the form of the table.
    private func text(of time: Double, before age: Int64 = 0) throws(SQLiteError) -> String? {
        defer { date.reset() }
        try date.bind(1, time - Double(age) / 1e9)
        return try date.step() ? date.text(0) : nil
    }

    /// Inserts the row of the example at `index`, from 0, with its result if it has one.
    ///
    /// `common` is the checksum of the values that are bound already.
    private func insertRow(
        _ index: Int, _ place: ExampleLedger.Place, _ result: UnsafeRawBufferPointer?, _ common: RowChecksum
    ) throws(SQLiteError) {
        if let replaced = place.replaced {
            try delete.bind(1, replaced)
            try delete.run()
        }
        defer { dropLongTexts() }
        try insert.bind(14, place.row)
        try insert.bind(1, Int64(index + 1))
        try insert.bind(3, Int64(place.key.occurrence))
        try withUnsafeBytes(of: place.key.digest.bigEndian) { (digest) throws(SQLiteError) in
            try insert.bind(2, borrowed: digest)
            // In the order of `RowReader.ownColumns`.
            var checksum = common
            checksum.add(place.row)
            checksum.add(blob: digest)
            checksum.add(Int64(place.key.occurrence))
            if let result {
                try insert.bind(9, borrowed: result)
                checksum.add(blob: result)
            } else {
                try insert.bindNull(9)
                checksum.addNull()
            }
            // SQLite's limit is for the row, in which the values themselves come first.
            var room = Self.longestText - (result?.count ?? 0) - (place.trace?.count ?? 0)
            try bindJSON(10, of: result, in: &resultText, room: &room, &checksum)
            try place.input.withUnsafeBytes { (input) throws(SQLiteError) in
                try bindJSON(15, of: input.count == 0 ? nil : input, in: &inputText, room: &room, &checksum)
            }
            if let trace = place.trace {
                try trace.withUnsafeBytes { (trace) throws(SQLiteError) in
                    try insert.bind(22, borrowed: trace)
                    checksum.add(blob: trace)
                    try insert.bind(17, checksum.value(example: Int64(index + 1)))
                    try insert.run()
                }
                return
            }
            try insert.bindNull(22)
            try insert.bind(17, checksum.value(example: Int64(index + 1)))
            try insert.run()
        }
    }

    /// Releases the memory of large values, so that it is not kept for the next row.
    private func dropLongTexts() {
        if resultText.count > Self.keptText { _ = resultText.take() }
        if inputText.count > Self.keptText { _ = inputText.take() }
    }

    private func write(
        _ run: ResultRun, _ places: [ExampleLedger.Place], _ checksum: RowChecksum
    ) throws(SQLiteError) {
        try run.results.withUnsafeBytes { (results) throws(SQLiteError) in
            var reader = CBORReader(results)
            for (number, place) in places.enumerated() {
                let start = reader.position
                // If it is not a valid item, the script cannot read it either, and the job ends there.
                guard (try? reader.skip()) != nil else { return }
                let item = UnsafeRawBufferPointer(rebasing: results[start..<reader.position])
                try insertRow(run.first + number * run.stride, place, item, checksum)
            }
        }
    }

    /// Binds an encoded value as JSON, whose text is then in `text`: NULL where there is no value, or where JSON cannot
    /// express it.
    private func bindJSON(
        _ parameter: Int32, of item: UnsafeRawBufferPointer?, in text: inout ByteWriter, room: inout Int,
        _ checksum: inout RowChecksum
    ) throws(SQLiteError) {
        text.truncate(to: 0)
        guard let item, (try? renderer.render(item, into: &text)) != nil, text.count <= room else {
            checksum.addNull()
            return try insert.bindNull(parameter)
        }
        room -= text.count
        let code = text.withUnsafeMutableBytes { json in
            checksum.add(text: UnsafeRawBufferPointer(json))
            return insert.bindText(parameter, borrowed: UnsafeRawBufferPointer(json))
        }
        try database.check(code)
    }
}
