/// The contents of a job's page: what each rank did when, how long examples took, and which of them failed.
///
/// Its size does not grow with the number of examples: it keeps sums, and single examples only where a reader needs them.
struct Page {
    /// A rank on a host.
    ///
    /// If the job goes on on another host, that is another row.
    struct Row {
        var rank: Int
        /// Nil until the host is known.
        var host: String?
        var line: TimelineRow
        /// How long it worked, and the processor time that this took, in nanoseconds.
        var work: UInt64 = 0
        var cpu: UInt64?
        /// Its peak memory, in bytes.
        var memory: Int?
        /// How many examples it did, and how often one failed.
        var count = 0
        var failed = 0
    }

    private struct Place: Hashable {
        var rank: Int
        var host: String
    }

    /// The approximate maximum of blocks in all rows, and the maximum in each row.
    private static let capacity = 40_000
    private static let mostPerRow = 4_000

    let facts: PageFacts
    /// When the job began, and ended, in nanoseconds of the page's clock.
    private(set) var start: UInt64 = 0
    private(set) var began = 0.0
    private(set) var end: UInt64 = 0
    private(set) var rows: [Row] = []
    private(set) var lengths = ExampleLengths()
    private(set) var measured = MeasuredLengths()
    private(set) var longest = LongestExamples()
    private(set) var failures = FailedExamples()
    private var blocksPerRow = mostPerRow
    /// The rows of the ranks whose host is known.
    private var places: [Place: Int] = [:]

    init(_ facts: PageFacts) { self.facts = facts }

    /// Sets the number of ranks and the job's beginning, `start`.
    ///
    /// Must be called before any work is added.
    ///
    /// - Parameter began: the same moment in seconds since 1970.
    mutating func begin(ranks: Int, start: UInt64, began: Double) {
        self.start = start
        self.began = began
        end = start
        blocksPerRow = min(Self.capacity / max(ranks, 1), Self.mostPerRow)
        rows = (0..<ranks).map { row(rank: $0, host: nil) }
    }

    private func row(rank: Int, host: String?) -> Row {
        Row(rank: rank, host: host, line: TimelineRow(origin: start, capacity: blocksPerRow))
    }

    /// Returns the row of a rank on this host.
    private mutating func place(_ rank: Int, _ host: String) -> Int {
        let place = Place(rank: rank, host: host)
        if let row = places[place] { return row }
        let index: Int
        if rows.indices.contains(rank), rows[rank].rank == rank, rows[rank].host == nil {
            index = rank
            rows[rank].host = host
        } else {
            index = rows.count
            rows.append(row(rank: rank, host: host))
        }
        places[place] = index
        return index
    }

    /// Adds work of `rank`.
    mutating func addWork(_ work: PageWork, rank: Int, host: String) {
        let row = place(rank, host)
        let duration = min(work.nanoseconds, work.end)
        let block = TimelineBlock(
            start: work.end - duration, end: work.end, work: duration, examples: work.examples, count: work.count,
            failed: work.failed)
        rows[row].line.add(block)
        rows[row].work &+= duration
        rows[row].count += work.count
        rows[row].failed += work.failed
        end = max(end, work.end)
    }

    /// Adds the costs, besides time, of examples of this rank.
    mutating func addCost(rank: Int, host: String, cpu: UInt64?, memory: Int?) {
        let row = place(rank, host)
        if let cpu { rows[row].cpu = (rows[row].cpu ?? 0) &+ cpu }
        if let memory { rows[row].memory = max(rows[row].memory ?? 0, memory) }
    }

    /// Adds `count` examples that took `nanoseconds` each.
    ///
    /// `example` returns the one at a place among them; it is called if needed.
    mutating func addLengths(of nanoseconds: UInt64, count: Int, _ example: (Int) -> PageExample) {
        lengths.add(Double(nanoseconds) / 1e9, count: count)
        if count > 0 { measured.add(Double(nanoseconds) / 1e9, first: example(0).number, count: count) }
        var place = 0
        while place < count, longest.takes(nanoseconds) {
            longest.add(example(place))
            place += 1
        }
    }

    /// Adds an example that has failed for good.
    mutating func addFailure(_ example: PageExample) { failures.add(example) }

    /// Marks `rank` as lost.
    mutating func lose(_ rank: Int, host: String, cause: String, at now: UInt64) {
        let row = place(rank, host)
        rows[row].line.lose(at: now, cause: cause)
        end = max(end, now)
    }

    /// Sets the inputs of the longest examples of the job itself, where they are missing.
    mutating func nameInputs(_ input: (Int) -> String) { longest.nameInputs(input) }

    /// Sets the end of the job.
    mutating func finish(at now: UInt64) { end = max(end, now) }

    /// The rows by rank.
    var orderedRows: [Row] {
        rows.enumerated().sorted { ($0.element.rank, $0.offset) < ($1.element.rank, $1.offset) }.map(\.element)
    }
}

/// Work that a rank did without a break, and reported together.
public struct PageWork: Sendable {
    /// The lowest and the highest index of its examples, from 1.
    public var examples: ClosedRange<Int>
    /// How many examples there are.
    public var count: Int
    /// How many of them failed.
    public var failed: Int
    /// How long all of it took.
    public var nanoseconds: UInt64
    /// When it ended, in nanoseconds of the page's clock.
    public var end: UInt64

    /// Work on examples of which some may have failed.
    public init(examples: ClosedRange<Int>, count: Int, failed: Int, nanoseconds: UInt64, end: UInt64) {
        self.examples = examples
        self.count = count
        self.failed = failed
        self.nanoseconds = nanoseconds
        self.end = end
    }
}

/// Facts about a job for its page, besides what its ranks did.
public struct PageFacts: Sendable {
    /// The job's name.
    public var title: String
    /// Other facts, each with a name.
    public var others: [(name: String, value: String)] = []

    /// Facts about a job of this name.
    public init(title: String) { self.title = title }
}

/// How a job ended, for a page.
public struct PageEnding: Sendable {
    /// Why it ended before everything was done; nil where it did not.
    public var reason: String?
    /// How many examples there are; nil where it is not known.
    public var total: Int?
    /// Whether its script wanted no more examples.
    public var hadEnough = false
    /// How many examples were done before this job began.
    public var earlier = 0
    /// The command line that does one example alone, by the example's index from 1; nil where there is none.
    public var alone: (@Sendable (Int) -> String?)?
    /// Estimates for other numbers of ranks.
    public var plan: [PagePlan] = []

    /// An end after everything was done.
    public init() {}
}

/// The estimated time of the job on a number of ranks.
public struct PagePlan: Sendable {
    /// The number of ranks.
    public var ranks: Int
    /// The time, in seconds.
    public var seconds: Double

    /// An estimate: `ranks` ranks would take `seconds`.
    public init(ranks: Int, seconds: Double) { (self.ranks, self.seconds) = (ranks, seconds) }
}
