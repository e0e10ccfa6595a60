import CSQLite
import DLP

/// The description of a journal in its table `meta`.
struct JournalHeader {
    /// The version of the tables.
    var format: Int64
    /// The job to which it belongs.
    var identity: JournalIdentity
    /// The lengths of the lists of examples that a job has read to the end, by stage.
    var lengths: [String?: Int]
    /// The code versions of rows, by number.
    var versions: [Int64: CodeVersion]
    /// The first `id` from which rows have a checksum; rows before it are from the time before checksums.
    var checkedFrom: Int64
    /// Whether the table is unchanged since a job wrote it.
    var isSound: Bool

    /// Reads the header of the database at `path`; nil where the database is empty.
    ///
    /// - Throws: `JournalError` where it is not a journal, or one that we cannot read.
    static func read(_ database: Database, path: SystemString) throws(JournalError) -> JournalHeader? {
        do throws(SQLiteError) {
            let mark = try Statement(
                database, "SELECT (SELECT count(*) FROM sqlite_schema), application_id FROM pragma_application_id")
            _ = try mark.step()
            let (tables, application) = (mark.integer(0), mark.integer(1))
            mark.reset()
            if tables == 0, application == 0 { return nil }
            guard application == JournalSchema.applicationID else { throw SQLiteError(SQLITE_NOTADB, nil) }
            return try read(database)
        } catch { throw JournalError(path: path, error) }
    }

    private static func read(_ database: Database) throws(SQLiteError) -> JournalHeader {
        let rows = try Statement(database, selection)
        var texts: [String: String] = [:]
        var versions: [Int64: CodeVersion] = [:]
        // In one pass, because a job may change the table between two.
        let checksum = try checksum(of: rows) {
            guard let name = rows.text(0) else { return }
            guard name.hasPrefix(CodeVersion.rowPrefix), rows.kind(1) == .blob else {
                return texts[name] = rows.text(1)
            }
            guard let number = Int64(name.dropFirst(CodeVersion.rowPrefix.count)) else { return }
            versions[number] = rows.withBytes(1) { CodeVersion(encoded: Bytes(copying: $0)) }
        }
        let format = texts["format"].flatMap { Int64($0) } ?? 0
        let isSound = texts["checksum"].map { $0 == "\(checksum)" } ?? (1...2 ~= format)
        let digest = texts["script_digest"].flatMap { Digest(hexadecimal: $0) } ?? Digest(high: 0, low: 0)
        let identity = JournalIdentity(
            script: SystemString(texts["script"] ?? ""), scriptDigest: digest, arguments: texts["arguments"],
            seed: texts["seed"].flatMap { Int64($0) } ?? 0)
        // Rows without a number are from the time before versions.
        if format < JournalSchema.formatOfVersions { versions[0] = CodeVersion(identity) }
        return JournalHeader(
            format: format, identity: identity, lengths: isSound ? lengths(in: texts) : [:],
            versions: isSound ? versions : [:],
            checkedFrom: isSound ? texts["checked_from"].flatMap { Int64($0) } ?? 0 : 0, isSound: isSound)
    }

    /// The name of the row that contains the length of the list of `stage`.
    static func lengthName(of stage: String?) -> String { stage.map { "\(lengthPrefix)\($0)" } ?? "examples" }

    private static let lengthPrefix = "examples of "

    private static func lengths(in texts: [String: String]) -> [String?: Int] {
        var lengths: [String?: Int] = [:]
        for (name, text) in texts where name == "examples" || name.hasPrefix(lengthPrefix) {
            guard let length = Int(text), 0...limit ~= length else { continue }
            lengths[name == "examples" ? nil : String(name.dropFirst(lengthPrefix.count))] = length
        }
        return lengths
    }

    private static let selection = "SELECT name, value FROM meta"
    private static let limit = Int(JournalRow.largestNumber)

    /// A checksum over all other rows of the table, independent of their order.
    ///
    /// - Parameter visit: called for each row.
    private static func checksum(of rows: Statement, visit: () -> Void = {}) throws(SQLiteError) -> Int64 {
        var sum: Int64 = 0
        while try rows.step() {
            visit()
            if rows.kind(0) == .text, rows.text(0) == "checksum" { continue }
            var checksum = RowChecksum()
            checksum.add(0, of: rows)
            checksum.add(1, of: rows)
            sum &+= checksum.value(example: nil)
        }
        return sum
    }

    /// Updates the checksum.
    ///
    /// Must be called after each change of the table.
    static func seal(_ database: Database) throws(SQLiteError) {
        let set = try Statement(database, "INSERT OR REPLACE INTO meta VALUES ('checksum', ?)")
        try set.bind(1, checksum(of: Statement(database, selection)))
        try set.run()
    }

    /// Writes the code version of the rows with this number.
    static func write(_ version: Bytes, number: Int64, to database: Database) throws(SQLiteError) {
        let set = try Statement(database, "INSERT OR REPLACE INTO meta VALUES (?, ?)")
        try set.bind(1, "\(CodeVersion.rowPrefix)\(number)")
        try version.withUnsafeBytes { (bytes) throws(SQLiteError) in
            try set.bind(2, borrowed: bytes)
            try set.run()
        }
        try seal(database)
    }

    /// Writes the description of a journal of `identity`, in addition to what is there.
    ///
    /// - Parameter checkedFrom: the first `id` from which rows have checksums.
    static func write(
        _ identity: JournalIdentity, checkedFrom: Int64, to database: Database
    ) throws(SQLiteError) {
        let set = try Statement(database, "INSERT OR REPLACE INTO meta VALUES (?, ?)")
        let texts = [
            ("script", identity.script.description), ("script_digest", "\(identity.scriptDigest)"),
            ("arguments", identity.arguments ?? "[]"), ("dlp_lua", Version.current),
        ]
        for (name, text) in texts {
            try set.bind(1, name)
            try set.bind(2, text)
            try set.run()
        }
        for (name, number) in [
            ("format", JournalSchema.format), ("seed", identity.seed), ("checked_from", checkedFrom),
        ] {
            try set.bind(1, name)
            try set.bind(2, number)
            try set.run()
        }
        try database.execute(
            "INSERT OR IGNORE INTO meta VALUES ('created', strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))")
        try seal(database)
    }
}

extension Digest {
    /// Reads a digest from the form of `description`.
    fileprivate init?(hexadecimal text: String) {
        guard text.utf8.count == 32, let high = UInt64(text.prefix(16), radix: 16),
            let low = UInt64(text.suffix(16), radix: 16)
        else { return nil }
        self.init(high: high, low: low)
    }
}
