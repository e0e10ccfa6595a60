/// An example that a page shows by itself: one of the longest, or one that failed.
public struct PageExample: Sendable {
    /// Why an example failed for good.
    public struct Failure: Sendable {
        /// What went wrong.
        public var message: String
        /// Lua's traceback, or empty.
        public var traceback: String
        /// How often the example was tried.
        public var attempts: Int

        /// A failure.
        public init(message: String, traceback: String = "", attempts: Int = 1) {
            self.message = message
            self.traceback = traceback
            self.attempts = attempts
        }
    }

    /// Its index in the list, from 1; 0 where it is in the list no more.
    public var number: Int
    /// The loop whose element it is; empty for an example of the job itself.
    public var loop = ""
    /// The rank that did it.
    public var rank: Int
    /// That rank's host.
    public var host: String
    /// When it ended, in nanoseconds of the page's clock.
    public var end: UInt64
    /// How long it took; nil where nobody knows.
    public var nanoseconds: UInt64?
    /// How many examples were reported together, and share their time; 1 where this is its own.
    public var together = 1
    /// Its value, as people read it; empty where the index says all, or nobody knows.
    public var input = ""
    /// The most memory that its rank held meanwhile, in bytes; nil where nobody knows.
    public var memory: Int?
    /// Why it failed, where it did.
    public var failure: Failure?

    /// An example with what is always known.
    public init(number: Int, rank: Int, host: String, end: UInt64, nanoseconds: UInt64?) {
        self.number = number
        self.rank = rank
        self.host = host
        self.end = end
        self.nanoseconds = nanoseconds
    }
}

/// The longest examples that there were.
struct LongestExamples {
    /// So many are kept.
    static let limit = 20

    /// The longest first.
    private(set) var list: [PageExample] = []

    /// Whether an example that took so long is one of them, so far.
    func takes(_ nanoseconds: UInt64) -> Bool {
        list.count < Self.limit || nanoseconds > list[list.count - 1].nanoseconds ?? 0
    }

    mutating func add(_ example: PageExample) {
        let time = example.nanoseconds ?? 0
        guard takes(time) else { return }
        let place = list.firstIndex { ($0.nanoseconds ?? 0) < time } ?? list.count
        list.insert(example, at: place)
        if list.count > Self.limit { list.removeLast() }
    }

    /// Sets the inputs of those of the job itself that have none.
    mutating func nameInputs(_ input: (Int) -> String) {
        for place in list.indices where list[place].input.isEmpty && list[place].loop.isEmpty {
            list[place].input = input(list[place].number)
        }
    }
}

/// The examples that failed for good: the first of them with all that is known, all of them as a number.
struct FailedExamples {
    /// So many are listed, as long as their texts do not take more bytes.
    private static let limit = (examples: 500, bytes: 1 << 20)
    /// Longer texts are cut.
    private static let longest = (message: 4_000, traceback: 8_000)

    private(set) var list: [PageExample] = []
    private(set) var count = 0
    private var bytes = 0

    mutating func add(_ example: PageExample) {
        count += 1
        guard list.count < Self.limit.examples, bytes < Self.limit.bytes, var failure = example.failure else { return }
        failure.message = PageText.cut(failure.message, to: Self.longest.message)
        failure.traceback = PageText.cut(failure.traceback, to: Self.longest.traceback)
        bytes += failure.message.utf8.count + failure.traceback.utf8.count
        var listed = example
        listed.failure = failure
        list.append(listed)
    }

    /// Those that are listed, in the order of the examples.
    var ordered: [PageExample] { list.sorted { ($0.loop, $0.number) < ($1.loop, $1.number) } }
}
