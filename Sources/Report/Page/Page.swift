/// What a page says of a job: who did what when, how long examples took, and which of them failed.
///
/// However many examples there are, it stays small: it keeps sums, and single examples only where a reader wants them.
struct Page {
    /// A rank on a host: another one where a job goes on elsewhere.
    struct Row {
        var rank: Int
        /// Nil as long as nothing was heard of it.
        var host: String?
        var line: TimelineRow
        /// How long it was at work, and the processor time that it took for it, in nanoseconds.
        var work: UInt64 = 0
        var cpu: UInt64?
        /// The most memory that it held, in bytes.
        var memory: Int?
        /// How many examples it did, and how many times one failed.
        var count = 0
        var failed = 0
    }

    private struct Place: Hashable {
        var rank: Int
        var host: String
    }

    /// About so many blocks there are at most, in all rows, and in each of them.
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
    /// The rows of ranks whose host is known.
    private var places: [Place: Int] = [:]

    init(_ facts: PageFacts) { self.facts = facts }

    /// The job has so many ranks, and began at `start`: before it is known who worked when.
    ///
    /// - Parameter began: the same in seconds since 1970.
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

    /// The row of a rank, which is on this host.
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

    /// `rank` was at work.
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

    /// What examples of this rank cost besides time.
    mutating func addCost(rank: Int, host: String, cpu: UInt64?, memory: Int?) {
        let row = place(rank, host)
        if let cpu { rows[row].cpu = (rows[row].cpu ?? 0) &+ cpu }
        if let memory { rows[row].memory = max(rows[row].memory ?? 0, memory) }
    }

    /// `count` examples took so many nanoseconds each; `example` is the one at a place among them, where it is wanted.
    mutating func addLengths(of nanoseconds: UInt64, count: Int, _ example: (Int) -> PageExample) {
        lengths.add(Double(nanoseconds) / 1e9, count: count)
        if count > 0 { measured.add(Double(nanoseconds) / 1e9, first: example(0).number, count: count) }
        var place = 0
        while place < count, longest.takes(nanoseconds) {
            longest.add(example(place))
            place += 1
        }
    }

    /// An example has failed for good.
    mutating func addFailure(_ example: PageExample) { failures.add(example) }

    /// `rank` was lost.
    mutating func lose(_ rank: Int, host: String, cause: String, at now: UInt64) {
        let row = place(rank, host)
        rows[row].line.lose(at: now, cause: cause)
        end = max(end, now)
    }

    /// Sets the inputs of the longest examples of the job itself that have none.
    mutating func nameInputs(_ input: (Int) -> String) { longest.nameInputs(input) }

    /// The job is over.
    mutating func finish(at now: UInt64) { end = max(end, now) }

    /// The rows by rank.
    var orderedRows: [Row] {
        rows.enumerated().sorted { ($0.element.rank, $0.offset) < ($1.element.rank, $1.offset) }.map(\.element)
    }
}

/// What a rank did without a break, and reported together.
public struct PageWork: Sendable {
    /// The lowest and the highest index of its examples, from 1.
    public var examples: ClosedRange<Int>
    /// How many examples these are.
    public var count: Int
    /// How many of them failed.
    public var failed: Int
    /// How long all that took.
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

/// What a page says of a job besides what its ranks did.
public struct PageFacts: Sendable {
    /// What the job is called.
    public var title: String
    /// What else there is to say, by its name.
    public var others: [(name: String, value: String)] = []

    /// Facts about a job of this name.
    public init(title: String) { self.title = title }
}

/// How a job came to its end, for a page.
public struct PageEnding: Sendable {
    /// Why it ended before all was done; nil where it did not.
    public var reason: String?
    /// How many examples there are; nil where nobody knows.
    public var total: Int?
    /// Whether its script wanted no more of them.
    public var hadEnough = false
    /// How many were done before it began.
    public var earlier = 0
    /// The line to type that does an example alone, by its index from 1; nil where there is none.
    public var alone: (@Sendable (Int) -> String?)?
    /// What other numbers of ranks would bring.
    public var plan: [PagePlan] = []

    /// An end after all was done.
    public init() {}
}

/// How long the job would take on a number of ranks.
public struct PagePlan: Sendable {
    /// The number of ranks.
    public var ranks: Int
    /// The time, in seconds.
    public var seconds: Double

    /// `ranks` ranks would take so many seconds.
    public init(ranks: Int, seconds: Double) { (self.ranks, self.seconds) = (ranks, seconds) }
}
