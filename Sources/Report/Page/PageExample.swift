/// An example that a page shows individually: one of the longest, or one that failed.
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

    /// Its index in the list, from 1; 0 where it is no longer in the list.
    public var number: Int
    /// The loop to which it belongs; empty for an example of the job itself.
    public var loop = ""
    /// The rank that did it.
    public var rank: Int
    /// That rank's host.
    public var host: String
    /// When it ended, in nanoseconds of the page's clock.
    public var end: UInt64
    /// How long it took; nil where it is not known.
    public var nanoseconds: UInt64?
    /// How many examples were reported together and share this time; 1 if the time is the example's own.
    public var together = 1
    /// Its value in readable form; empty where the index says everything, or where the value is not known.
    public var input = ""
    /// The peak memory of its rank in that time, in bytes; nil where it is not known.
    public var memory: Int?
    /// Why it failed; nil where it did not.
    public var failure: Failure?

    /// An example with the facts that are always known.
    public init(number: Int, rank: Int, host: String, end: UInt64, nanoseconds: UInt64?) {
        self.number = number
        self.rank = rank
        self.host = host
        self.end = end
        self.nanoseconds = nanoseconds
    }
}

/// The longest examples.
struct LongestExamples {
    /// How many are kept.
    static let limit = 20

    /// The examples, the longest first.
    private(set) var list: [PageExample] = []

    /// Whether an example that took `nanoseconds` is one of the longest so far.
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

    /// Sets the inputs of the examples of the job itself where they are missing.
    mutating func nameInputs(_ input: (Int) -> String) {
        for place in list.indices where list[place].input.isEmpty && list[place].loop.isEmpty {
            list[place].input = input(list[place].number)
        }
    }
}

/// The examples that failed for good: the first of them with all details, all of them as a number.
struct FailedExamples {
    /// The limits of the list: the number of examples, and the size of their texts in bytes.
    private static let limit = (examples: 500, bytes: 1 << 20)
    /// The lengths at which texts are cut.
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

    /// The listed examples, in the order of the list.
    var ordered: [PageExample] { list.sorted { ($0.loop, $0.number) < ($1.loop, $1.number) } }
}
