/// What a rank does, for a user who watches the journal of its job.
public struct WatchedRank: Sendable {
    /// The rank.
    public var rank: Int
    /// Its host, where that is known.
    public var host: String?
    /// The first of the examples on which it works, from 0, and their number; nil where it has none.
    public var work: (first: Int, count: Int)?
    /// Since when it has been in this state, in seconds since 1970.
    public var since: Double
    /// Whether it is lost.
    public var isLost = false

    /// A rank that has been working on `work`, or idle, since then.
    public init(rank: Int, host: String?, work: (first: Int, count: Int)?, since: Double, isLost: Bool = false) {
        (self.rank, self.host, self.work, self.since, self.isLost) = (rank, host, work, since, isLost)
    }
}

/// The table of what ranks do.
///
/// A journal has it only while a job writes the journal and a user is watching.
///
/// It has no checksums, because nothing depends on it.
final class RankTable {
    static let drop = "DROP TABLE IF EXISTS dlp_ranks"
    private static let create = """
        CREATE TABLE IF NOT EXISTS dlp_ranks (
          rank INTEGER PRIMARY KEY,
          host TEXT,
          example INTEGER,
          count INTEGER,
          since REAL,
          lost INTEGER
        )
        """

    private let database: Database

    init(_ database: Database) { self.database = database }

    /// Writes what ranks do, and replaces what was there.
    func write(_ ranks: [WatchedRank]) throws(SQLiteError) {
        try database.transaction { () throws(SQLiteError) in
            try database.execute(Self.create)
            try database.execute("DELETE FROM dlp_ranks")
            let insert = try Statement(database, "INSERT OR REPLACE INTO dlp_ranks VALUES (?, ?, ?, ?, ?, ?)")
            for rank in ranks {
                try insert.bind(1, Int64(rank.rank))
                try insert.bind(2, rank.host)
                try insert.bind(3, rank.work.map { Int64($0.first + 1) })
                try insert.bind(4, rank.work.map { Int64($0.count) })
                try insert.bind(5, rank.since)
                try insert.bind(6, Int64(rank.isLost ? 1 : 0))
                try insert.run()
            }
        }
    }

    /// Reads the table; empty where there is none.
    static func read(_ database: Database) throws(SQLiteError) -> [WatchedRank] {
        let exists = try Statement(database, "SELECT 1 FROM sqlite_schema WHERE name = 'dlp_ranks' AND type = 'table'")
        guard try exists.step() else { return [] }
        let rows = try Statement(
            database, "SELECT rank, host, example, count, since, lost FROM dlp_ranks ORDER BY rank")
        var ranks: [WatchedRank] = []
        while try rows.step() {
            guard let rank = rows.integer(0) else { continue }
            var work: (first: Int, count: Int)?
            if let example = rows.integer(2), let count = rows.integer(3) {
                // Clamped, because anything may have been written there.
                work = (Int(min(max(example, 1), JournalRow.largestNumber)) - 1, Int(clamping: count))
            }
            ranks.append(
                WatchedRank(
                    rank: Int(clamping: rank), host: rows.text(1), work: work, since: rows.double(4) ?? 0,
                    isLost: rows.integer(5) == 1))
        }
        return ranks
    }
}
