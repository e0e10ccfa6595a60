/// The tables of a journal, as the README describes them.
enum JournalSchema {
    /// Marks the file as ours, in SQLite's header: "dlpj".
    static let applicationID: Int64 = 0x646C_706A
    /// The version of the tables, in `meta`.
    ///
    /// Format 1 had an index over digest and occurrence, by which rows were replaced. Each new row dirtied another page of
    /// it; now the ledger knows the rows, and new ones are appended. Format 2 had no inputs and no checksums, format 3 no
    /// stages, format 4 neither beginnings nor peaks, format 5 no versions of the code, format 6 no traces: a dlp-lua that does
    /// not know them would find that the checksums of the rows which have them do not fit.
    static let format: Int64 = 7
    /// The first whose rows have the number of a version.
    static let formatOfVersions: Int64 = 6

    /// Makes empty tables, in place of those that are there.
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

    /// The columns that format 2 did not have.
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

    /// The columns of `results` that a database lacks, because an earlier dlp-lua has made it.
    static func missingColumns(in database: Database) throws(SQLiteError) -> Set<String> {
        var missing = Set(added.map(\.name))
        let present = try Statement(database, "SELECT name FROM pragma_table_info('results')")
        while try present.step() { if let name = present.text(0) { missing.remove(name) } }
        return missing
    }

    /// Adds what an older format did not have.
    ///
    /// - Returns: the first `id` whose row must have a checksum; nil where nothing was missing.
    static func upgrade(_ database: Database) throws(SQLiteError) -> Int64? {
        let missing = try missingColumns(in: database)
        for column in added where missing.contains(column.name) {
            try database.execute("ALTER TABLE results ADD COLUMN \(column.name) \(column.type)")
        }
        guard missing.contains("checksum") else { return nil }
        let last = try Statement(database, "SELECT max(id) FROM results")
        guard try last.step(), let id = last.integer(0) else { return nil }
        // A row behind the largest number that one may have is refused, whatever it says.
        return min(max(id, 0), JournalRow.largestNumber) + 1
    }
}
