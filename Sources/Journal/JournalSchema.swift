/// The tables of a journal, as the README describes them.
enum JournalSchema {
    /// Marks the file as ours, in SQLite's header: "dlpj".
    static let applicationID: Int64 = 0x646C_706A
    /// The version of the tables, in `meta`.
    ///
    /// Format 1 had an index over digest and occurrence, by which rows were replaced. Each new row dirtied another page of
    /// it; now the ledger knows the rows, and new ones are appended.
    static let format: Int64 = 2

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
          finished TEXT
        );
        PRAGMA application_id = \(applicationID);
        """
}
