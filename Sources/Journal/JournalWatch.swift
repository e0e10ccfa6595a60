import CSystem
public import DLP
import Glibc

/// Follows a journal while a job writes it.
///
/// The job notices that a user is watching, and then writes what its ranks do. The journal is opened anew for each look, so
/// that it can be closed whenever the job ends.
public final class JournalWatch {
    /// The progress of the job.
    public struct Look: Sendable {
        /// Whether a job writes the journal.
        public var isWritten = false
        /// The current stage; nil: the job's own examples.
        public var stage: String?
        /// How many examples are done or have failed.
        public var done = 0
        /// How many have failed.
        public var failed = 0
        /// How many examples there are, if that is known.
        public var total: Int?
        /// How many examples per second have been finished recently; nil where there were none.
        public var rate: Double?
        /// What the ranks are doing; empty where it is not known.
        public var ranks: [WatchedRank] = []
        /// The newest failures: the example, from 0, and the reason.
        public var failures: [(example: Int, error: String)] = []
    }

    private let path: SystemString
    private let lock: WatcherLock
    private let wanted: String?
    /// The latest look, and when all rows are to be counted again, in nanoseconds of the monotonic clock.
    private var last = Look()
    private var nextCount: UInt64 = 0
    /// How many examples were done at which time, in seconds since 1970.
    private var samples: [(time: Double, done: Int)] = []

    /// The period over which the rate is measured, in seconds.
    private static let window = 60.0
    /// How many failures are shown.
    private static let failures = 10
    /// The size, in bytes, above which a journal is not read as a whole.
    private static let mostToRead: Int64 = 256 << 20
    /// Counting all rows takes at most one part in `share` of the time.
    private static let share: UInt64 = 20

    /// Follows the journal at `path`, or one stage of it; without a name, the latest stage.
    ///
    /// - Throws: `JournalError` where it cannot be read, or is not a journal.
    public init(path: SystemString, stage: String? = nil) throws(JournalError) {
        // This throws if something is wrong with the file.
        _ = try JournalReader(path: path)
        self.path = path
        wanted = stage
        lock = try WatcherLock(path: path)
    }

    /// Finds out the current progress of the job.
    ///
    /// - Throws: `JournalError` where the journal can no longer be read.
    public func look() throws(JournalError) -> Look {
        // Read first: if the job has ended by now, everything that it wrote is in the journal.
        let isWritten = lock.isWritten
        if last.isWritten, !isWritten { nextCount = 0 }
        last.isWritten = isWritten
        guard access(path.cString, R_OK) == 0 else { throw JournalError(path: path, errno: errno) }
        guard lock.isStill(path) else {
            throw JournalError("another file has taken the place of the journal \(path): watch that one")
        }
        let database: Database
        do { database = try Database(path: path, .readOnly) } catch { throw JournalError(path: path, error) }
        // There is no header for a moment while a job starts the journal over.
        guard let header = try JournalHeader.read(database, path: path) else { return last }
        do throws(SQLiteError) {
            var stage: String?
            if try !JournalSchema.missingColumns(in: database).contains("stage") { stage = try self.stage(database) }
            // In a row, the stage is stored after the result, so reading it means reading all results.
            let hasStages = stage != nil || header.lengths.keys.contains { $0 != nil }
            if dlp_now() >= nextCount || stage != last.stage {
                let start = dlp_now()
                if stage != last.stage { samples = [] }
                last.stage = stage
                try count(database, hasStages)
                nextCount = dlp_now() + Self.share * (dlp_now() - start)
            }
            last.total = header.lengths[stage]
            last.ranks = isWritten ? try RankTable.read(database) : []
        } catch { throw JournalError(path: path, error) }
        return last
    }

    private func stage(_ database: Database) throws(SQLiteError) -> String? {
        if let wanted { return wanted }
        let newest = try Statement(database, "SELECT stage FROM results ORDER BY id DESC LIMIT 1")
        return try newest.step() ? newest.text(0) : nil
    }

    private func count(_ database: Database, _ hasStages: Bool) throws(SQLiteError) {
        let condition = "example IS NOT NULL \(hasStages ? "AND stage IS ?1" : "")"
        let rows = try Statement(
            database,
            """
            SELECT count(*), count(*) FILTER (WHERE state = 'failed') FROM results WHERE \(condition)
            """)
        if hasStages { try rows.bind(1, last.stage) }
        guard try rows.step() else { return }
        (last.done, last.failed) = (Int(rows.integer(0) ?? 0), Int(rows.integer(1) ?? 0))
        let now = WallClock.now
        if samples.isEmpty { try sample(database, where: condition, hasStages, now: now) }
        samples.append((now, last.done))
        // The oldest sample is the last one from before the window.
        while samples.count > 2, samples[1].time < now - Self.window { samples.removeFirst() }
        last.rate = rate
        last.failures = last.failed == 0 ? [] : try failures(database, where: condition, hasStages)
    }

    /// Takes a first sample from the rows of the last minute, for a user who has just begun to watch.
    private func sample(
        _ database: Database, where condition: String, _ hasStages: Bool, now: Double
    ) throws(SQLiteError) {
        // In a row, the time is stored after the result. In a large journal reading it takes too long, and the rate is
        // known later.
        let size = try Statement(database, "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size")
        guard try size.step(), size.integer(0) ?? .max < Self.mostToRead else { return }
        let recent = try Statement(
            database,
            """
            SELECT count(*), (julianday(min(finished)) - 2440587.5) * 86400 FROM results
            WHERE finished > strftime('%Y-%m-%dT%H:%M:%fZ', ?2, 'unixepoch') AND \(condition)
            """)
        if hasStages { try recent.bind(1, last.stage) }
        try recent.bind(2, now - Self.window)
        guard try recent.step(), let count = recent.integer(0), let first = recent.double(1), count > 0 else { return }
        samples.append((min(first, now), max(0, last.done - Int(count))))
    }

    private var rate: Double? {
        guard let first = samples.first, let last = samples.last, last.time > first.time,
            last.done > first.done
        else { return nil }
        return Double(last.done - first.done) / (last.time - first.time)
    }

    private func failures(
        _ database: Database, where condition: String, _ hasStages: Bool
    ) throws(SQLiteError) -> [(example: Int, error: String)] {
        let rows = try Statement(
            database,
            """
            SELECT example, error FROM results WHERE state = 'failed' AND \(condition)
            ORDER BY finished DESC, id DESC LIMIT \(Self.failures)
            """)
        if hasStages { try rows.bind(1, last.stage) }
        var failures: [(example: Int, error: String)] = []
        while try rows.step() {
            failures.append((Int(clamping: max(rows.integer(0) ?? 1, 1) - 1), rows.text(1) ?? ""))
        }
        return failures
    }
}
