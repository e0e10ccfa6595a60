/// The tables of a journal, as the README describes them.
enum JournalSchema {
    /// Marks the file as ours, in SQLite's header: "dlpj".
    static let applicationID: Int64 = 0x646C_706A
    /// The version of the tables, in `meta`.
    ///
    /// Format 1 had an index over digest and occurrence, by which rows were replaced. Each new row changed another page of
    /// the index; now the ledger knows the rows, and new rows are appended. Format 2 had no inputs and no checksums, format
    /// 3 no stages, format 4 neither beginnings nor peaks, format 5 no code versions, format 6 no traces. A dlp-lua that
    /// does not know these columns would find that the checksums of rows which have them do not fit.
    static let format: Int64 = 7
    /// The first format in which rows have the number of a version.
    static let formatOfVersions: Int64 = 6

    /// Creates empty tables, and drops existing ones.
    static let create = """
        DROP TABLE IF EXISTS meta;
        DROP TABLE IF EXISTS results;
        CREATE TABLE meta (
          name TEXT PRIMARY KEY,
          value
        ) WITHOUT ROWID;
        CREATE TABLE results (
          id INTEGER PRIMARY KEY,
          example INTEGER,
          digest BLOB NOT NULL,
          occurrence INTEGER NOT NULL,
          state TEXT NOT NULL CHECK (state IN ('done', 'failed')),
          result BLOB,
          json TEXT,
          seconds REAL,
          rank INTEGER,
          host TEXT,
          attempts INTEGER,
          error TEXT,
          traceback TEXT,
          finished TEXT,
          \(added.map { "\($0.name) \($0.type)" }.joined(separator: ",\n  "))
        );
        PRAGMA application_id = \(applicationID);
        """

    /// The columns that format 2 lacked.
    static let added: [(name: String, type: String)] = [
        ("cpu", "REAL"), ("input", "TEXT"), ("checksum", "INTEGER"), ("stage", "TEXT"), ("started", "TEXT"),
        ("peak", "INTEGER"), ("version", "INTEGER"), ("trace", "BLOB"),
    ]

    /// All columns of `results`, as `RowReader` reads them.
    static let columns = [
        "id", "example", "digest", "occurrence", "state", "result", "json", "seconds", "cpu", "rank", "host",
        "attempts", "error", "traceback", "finished", "input", "checksum", "stage", "started", "peak",
        "version", "trace",
    ]

    /// The columns of `results` that a database lacks because an earlier dlp-lua made it.
    static func missingColumns(in database: Database) throws(SQLiteError) -> Set<String> {
        var missing = Set(added.map(\.name))
        let present = try Statement(database, "SELECT name FROM pragma_table_info('results')")
        while try present.step() { if let name = present.text(0) { missing.remove(name) } }
        return missing
    }

    /// Adds the columns that an older format lacked.
    ///
    /// - Returns: the first `id` whose row must have a checksum; nil where no column was missing.
    static func upgrade(_ database: Database) throws(SQLiteError) -> Int64? {
        let missing = try missingColumns(in: database)
        for column in added where missing.contains(column.name) {
            try database.execute("ALTER TABLE results ADD COLUMN \(column.name) \(column.type)")
        }
        guard missing.contains("checksum") else { return nil }
        let last = try Statement(database, "SELECT max(id) FROM results")
        guard try last.step(), let id = last.integer(0) else { return nil }
        // A row with an `id` above the largest valid number is refused in any case.
        return min(max(id, 0), JournalRow.largestNumber) + 1
    }
}
