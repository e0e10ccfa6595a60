import DLP

/// The chosen examples of a list, by their indices from 0.
struct ExampleSelection: Equatable {
    /// Ranges of indices, in order and with gaps between them.
    let ranges: [Range<Int>]
    /// How many examples there are before each range.
    private let offsets: [Int]
    /// The number of chosen examples.
    let count: Int

    /// - Precondition: the ranges are in order and have gaps between them.
    init(_ ranges: [Range<Int>]) {
        self.ranges = ranges
        var offsets: [Int] = []
        var count = 0
        for range in ranges {
            offsets.append(count)
            count += range.count
        }
        self.offsets = offsets
        self.count = count
    }

    /// Chooses these indices, which are in order.
    init(indices: [Int]) {
        var ranges: [Range<Int>] = []
        for index in indices {
            if let last = ranges.last, last.upperBound == index {
                ranges[ranges.count - 1] = last.lowerBound..<index + 1
            } else {
                ranges.append(index..<index + 1)
            }
        }
        self.init(ranges)
    }

    /// Chooses what `--only` names from a list of `length` examples.
    ///
    /// - Throws: `UsageError` where an index lies beyond the end of the list.
    init(_ only: ExampleRanges, of length: Int) throws(UsageError) {
        if let beyond = only.ranges.last, beyond.upperBound > length {
            let index = max(beyond.lowerBound, length + 1)
            throw UsageError("--only names example \(index), and the list has \(length)")
        }
        self.init(only.ranges.map { $0.lowerBound - 1..<$0.upperBound })
    }

    /// Draws `size` examples from a list of `length`, by the job's seed: the same examples for any number of ranks.
    init(sample size: Int, of length: Int, seed: Int64) {
        var numbers = SplitMix(state: UInt64(bitPattern: seed))
        var drawn: Set<Int> = []
        // Floyd's algorithm: every set of this size is equally likely, and no index is drawn twice.
        for last in length - size..<length {
            let index = numbers.next(below: last + 1)
            if !drawn.insert(index).inserted { drawn.insert(last) }
        }
        self.init(indices: drawn.sorted())
    }

    /// Returns the place of the first range that does not end before `index`; the number of ranges where there is
    /// none.
    private func place(of index: Int) -> Int {
        var (low, high) = (0, ranges.count)
        while low < high {
            let middle = (low + high) / 2
            if ranges[middle].upperBound <= index { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// Returns the position of an example among the chosen ones, from 0.
    ///
    /// - Precondition: the example is chosen.
    func position(of index: Int) -> Int {
        let place = place(of: index)
        return offsets[place] + index - ranges[place].lowerBound
    }

    /// Returns how many chosen examples come before `index`.
    func position(from index: Int) -> Int {
        let place = place(of: index)
        guard place < ranges.count else { return count }
        return offsets[place] + max(0, index - ranges[place].lowerBound)
    }

    /// Returns the example at a position among the chosen ones, from 0.
    ///
    /// - Precondition: there is an example at this position.
    func index(at position: Int) -> Int {
        var (low, high) = (0, offsets.count)
        while high - low > 1 {
            let middle = (low + high) / 2
            if offsets[middle] <= position { low = middle } else { high = middle }
        }
        return ranges[low].lowerBound + position - offsets[low]
    }

    /// Returns the run that begins at `index` in a list of `length`: the number of neighbouring examples that are all
    /// chosen, or all not.
    func run(at index: Int, of length: Int) -> (isChosen: Bool, count: Int) {
        let place = place(of: index)
        guard place < ranges.count else { return (false, length - index) }
        let range = ranges[place]
        return range.contains(index) ? (true, range.upperBound - index) : (false, range.lowerBound - index)
    }

    /// Returns the parts of `range` that are chosen, in order.
    func parts(of range: Range<Int>) -> [Range<Int>] {
        ranges[place(of: range.lowerBound)...].prefix { $0.lowerBound < range.upperBound }.map { $0.clamped(to: range) }
    }

    /// The indices counted from 1.
    var numbers: [Int] { ranges.flatMap { $0.map { $0 + 1 } } }

    /// Renumbers results as if the list held only the chosen examples.
    func dense(_ run: ResultRun) -> [ResultRun] {
        guard run.count > 0 else { return [] }
        let first = position(of: run.first)
        let last = run.first + (run.count - 1) * run.stride
        if position(of: last) - first == run.count - 1 {
            return [ResultRun(first: first, count: run.count, results: run.results, rank: run.rank)]
        }
        var runs: [ResultRun] = []
        run.results.withUnsafeBytes { buffer in
            var reader = CBORReader(buffer)
            for number in 0..<run.count {
                let start = reader.position
                guard (try? reader.skip()) != nil else { return }
                runs.append(
                    ResultRun(
                        first: position(of: run.first + number * run.stride), count: 1,
                        results: run.results[start..<reader.position], rank: run.rank))
            }
        }
        return runs
    }
}

/// Random numbers that are the same for a seed on every host.
private struct SplitMix {
    var state: UInt64

    mutating func next(below bound: Int) -> Int {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = (state ^ (state >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return Int((mixed ^ (mixed >> 31)).multipliedFullWidth(by: UInt64(bound)).high)
    }
}
