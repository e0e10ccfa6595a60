import DLP

/// Brings results that arrive in any order into the order of the examples.
struct OrderedResults {
    /// A run in progress: the items before `position` have been passed on.
    private struct Cursor {
        var run: ResultRun
        var position = 0
        var taken = 0
    }

    /// Runs by the index of their next example.
    private var waiting: [Int: Cursor] = [:]
    /// The examples that have results; nil: the whole list.
    private let selection: ExampleSelection?
    /// The example whose result is the next to be passed on.
    private(set) var next = 0
    /// How many bytes of results wait for earlier ones.
    private(set) var waitingBytes = 0

    init(_ selection: ExampleSelection? = nil) {
        self.selection = selection
        leaveOut()
    }

    /// Whether no results wait.
    var isEmpty: Bool { waiting.isEmpty }

    /// Adds results.
    mutating func add(_ run: ResultRun) {
        guard run.count > 0 else { return }
        waiting[run.first] = Cursor(run: run)
        waitingBytes += run.results.count
    }

    /// Returns the next results in the order of the examples, as many as are contiguous; nil where the next one is
    /// still missing.
    mutating func popNext() throws(CodecError) -> ResultRun? {
        guard var cursor = waiting.removeValue(forKey: next) else { return nil }
        let run = cursor.run
        guard run.stride > 1 else {
            next += run.count
            waitingBytes -= run.results.count
            leaveOut()
            return run
        }
        let start = cursor.position
        cursor.position = try run.results.end(of: 1, from: start)
        cursor.taken += 1
        if cursor.taken < run.count {
            waiting[next + run.stride] = cursor
        } else {
            waitingBytes -= run.results.count
        }
        defer {
            next += 1
            leaveOut()
        }
        return ResultRun(first: next, count: 1, results: run.results[start..<cursor.position], rank: run.rank)
    }

    /// Goes on with the first result that has come, and skips the missing ones before it.
    mutating func passGap() { next = waiting.keys.min() ?? next }

    /// Skips examples that are not chosen.
    private mutating func leaveOut() {
        guard let selection else { return }
        let run = selection.run(at: next, of: .max)
        if !run.isChosen { next += run.count }
    }
}

extension Bytes {
    /// Returns the end of `count` items, of which the first begins at `start`.
    func end(of count: Int, from start: Int = 0) throws(CodecError) -> Int {
        try withUnsafeBytes { (buffer) throws(CodecError) in
            var reader = CBORReader(buffer)
            reader.seek(to: start)
            for _ in 0..<count { try reader.skip() }
            return reader.position
        }
    }
}
