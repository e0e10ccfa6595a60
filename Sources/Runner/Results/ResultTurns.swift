import DLP

/// Makes results and failures wait until they are next in the order of the list.
///
/// Limits how many examples may be begun meanwhile, because waiting results need memory.
struct ResultTurns {
    /// The outcome of an example.
    enum Turn {
        case results(ResultRun)
        case failure(Fault, index: Int)
    }

    /// How many bytes of results may wait.
    ///
    /// Above that, only as many examples are begun as there are ranks.
    private static let mostBytes = 64 << 20

    private var results = OrderedResults()
    private var failures: [Int: Fault] = [:]
    private var selection: ExampleSelection?
    /// Results of an earlier run, from the example of `head` on.
    ///
    /// They are read when their turn comes.
    var stored: StoredRuns?
    private var head: ResultRun?
    private let window: Int
    private let ranks: Int
    /// The limit that was last announced, and whether too many bytes wait.
    private var limit: Int?
    private var isCrowded = false

    /// - Parameters:
    ///   - window: how many examples may be begun after the first one whose result is missing.
    ///   - ranks: how many ranks there are.
    init(window: Int, ranks: Int) {
        self.window = window
        self.ranks = ranks
    }

    /// Restricts the results to these examples from now on.
    mutating func choose(_ selection: ExampleSelection) {
        self.selection = selection
        results = OrderedResults(selection)
    }

    mutating func add(_ run: ResultRun) { results.add(run) }

    mutating func add(_ fault: Fault, _ index: Int) {
        failures[index] = fault
        results.add(ResultRun(first: index, count: 1, results: .empty, rank: fault.rank))
    }

    /// Returns the outcome of the next examples; nil where it is not known yet.
    mutating func next() throws -> Turn? {
        // A failed example is a run of its own, and its result holds no items to read.
        if let fault = failures.removeValue(forKey: results.next) {
            let index = results.next
            _ = try results.popNext()
            return .failure(fault, index: index)
        }
        if let run = try results.popNext() { return .results(run) }
        if head == nil { head = try stored?.next() }
        guard let run = head, run.first == results.next else { return nil }
        head = nil
        results.add(run)
        return try results.popNext().map { .results($0) }
    }

    /// Returns the index before which all examples may be begun, where it is to be announced anew.
    mutating func takeLimit() -> Int? {
        isCrowded = results.waitingBytes > (isCrowded ? Self.mostBytes / 2 : Self.mostBytes)
        let old = limit ?? 0
        let new = index(behind: isCrowded ? ranks : window)
        // Small changes are not announced, except where the next example itself lies behind the old limit or too much
        // waits.
        guard limit == nil || results.next >= old || new < old && isCrowded || new - old >= window / 4 else {
            return nil
        }
        guard new != limit else { return nil }
        limit = new
        return new
    }

    /// Returns the index of the example that is `count` places after the next one.
    private func index(behind count: Int) -> Int {
        guard let selection else { return results.next + count }
        guard selection.position(from: results.next) + count < selection.count else { return .max }
        return selection.index(at: selection.position(from: results.next) + count)
    }
}
