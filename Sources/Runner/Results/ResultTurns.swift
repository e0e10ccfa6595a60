import DLP

/// Lets what comes of examples wait for its turn, which is that of the list, and says how many examples may be begun
/// meanwhile: what waits is memory.
struct ResultTurns {
    /// What an example has come to.
    enum Turn {
        case results(ResultRun)
        case failure(Fault, index: Int)
    }

    /// How many bytes of results may wait; with more of them only so many examples are begun as there are ranks.
    private static let mostBytes = 64 << 20

    private var results = OrderedResults()
    private var failures: [Int: Fault] = [:]
    private var selection: ExampleSelection?
    /// Results that were there before, from the example of `head` on; they are read when it is their turn.
    var stored: StoredRuns?
    private var head: ResultRun?
    private let window: Int
    private let ranks: Int
    /// The limit that was said last, and whether too much waits.
    private var limit: Int?
    private var isCrowded = false

    /// - Parameters:
    ///   - window: so many examples may be begun behind the first one whose result has not come.
    ///   - ranks: how many ranks there are.
    init(window: Int, ranks: Int) {
        self.window = window
        self.ranks = ranks
    }

    /// From now on results are those of these examples alone.
    mutating func choose(_ selection: ExampleSelection) {
        self.selection = selection
        results = OrderedResults(selection)
    }

    mutating func add(_ run: ResultRun) { results.add(run) }

    mutating func add(_ fault: Fault, _ index: Int) {
        failures[index] = fault
        results.add(ResultRun(first: index, count: 1, results: .empty, rank: fault.rank))
    }

    /// What the next examples have come to; nil where that is not clear yet.
    mutating func next() throws -> Turn? {
        // An example that has failed stands alone, and has nothing to be read.
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

    /// The example before which all may be begun, where that is news.
    mutating func takeLimit() -> Int? {
        isCrowded = results.waitingBytes > (isCrowded ? Self.mostBytes / 2 : Self.mostBytes)
        let old = limit ?? 0
        let new = index(behind: isCrowded ? ranks : window)
        // Who waits for the first of all must not wait for a limit.
        guard limit == nil || results.next >= old || new < old && isCrowded || new - old >= window / 4 else {
            return nil
        }
        guard new != limit else { return nil }
        limit = new
        return new
    }

    /// The example that is so many behind the next one.
    private func index(behind count: Int) -> Int {
        guard let selection else { return results.next + count }
        guard selection.position(from: results.next) + count < selection.count else { return .max }
        return selection.index(at: selection.position(from: results.next) + count)
    }
}
