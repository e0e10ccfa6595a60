import DLP

/// Those examples of a list that alone are done, by their indices from 0.
struct ExampleSelection: Equatable {
    /// Ranges of indices, in their order and apart from each other.
    let ranges: [Range<Int>]
    /// How many examples there are before each range.
    private let offsets: [Int]
    /// How many examples they are.
    let count: Int

    /// - Precondition: the ranges are in their order and apart from each other.
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

    /// These indices, which are in their order.
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

    /// What `--only` names, of a list of `length`.
    ///
    /// - Throws: `UsageError` where the list ends before.
    init(_ only: ExampleRanges, of length: Int) throws(UsageError) {
        if let beyond = only.ranges.last, beyond.upperBound > length {
            let index = max(beyond.lowerBound, length + 1)
            throw UsageError("--only names example \(index), and the list has \(length)")
        }
        self.init(only.ranges.map { $0.lowerBound - 1..<$0.upperBound })
    }

    /// `size` examples of a list of `length`, drawn by the job's seed: the same for any number of ranks.
    init(sample size: Int, of length: Int, seed: Int64) {
        var numbers = SplitMix(state: UInt64(bitPattern: seed))
        var drawn: Set<Int> = []
        // Floyd's way: each set of so many is as likely as any other, and nothing is drawn twice.
        for last in length - size..<length {
            let index = numbers.next(below: last + 1)
            if !drawn.insert(index).inserted { drawn.insert(last) }
        }
        self.init(indices: drawn.sorted())
    }

    /// The first range that does not end before `index`; that behind the last where there is none.
    private func place(of index: Int) -> Int {
        var (low, high) = (0, ranges.count)
        while low < high {
            let middle = (low + high) / 2
            if ranges[middle].upperBound <= index { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// The place of an example among these, from 0.
    ///
    /// - Precondition: it is one of them.
    func position(of index: Int) -> Int {
        let place = place(of: index)
        return offsets[place] + index - ranges[place].lowerBound
    }

    /// How many of these come before `index`.
    func position(from index: Int) -> Int {
        let place = place(of: index)
        guard place < ranges.count else { return count }
        return offsets[place] + max(0, index - ranges[place].lowerBound)
    }

    /// The example at a place among these, from 0.
    ///
    /// - Precondition: there are more.
    func index(at position: Int) -> Int {
        var (low, high) = (0, offsets.count)
        while high - low > 1 {
            let middle = (low + high) / 2
            if offsets[middle] <= position { low = middle } else { high = middle }
        }
        return ranges[low].lowerBound + position - offsets[low]
    }

    /// What comes at `index` of a list of `length`: so many that are chosen, or that are left out.
    func run(at index: Int, of length: Int) -> (isChosen: Bool, count: Int) {
        let place = place(of: index)
        guard place < ranges.count else { return (false, length - index) }
        let range = ranges[place]
        return range.contains(index) ? (true, range.upperBound - index) : (false, range.lowerBound - index)
    }

    /// What these examples have in common with a range of others, in its order.
    func parts(of range: Range<Int>) -> [Range<Int>] {
        ranges[place(of: range.lowerBound)...].prefix { $0.lowerBound < range.upperBound }.map { $0.clamped(to: range) }
    }

    /// The indices counted from 1.
    var numbers: [Int] { ranges.flatMap { $0.map { $0 + 1 } } }

    /// Results as if the list held nothing else.
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

/// Random numbers that are the same for a seed wherever they are drawn.
private struct SplitMix {
    var state: UInt64

    mutating func next(below bound: Int) -> Int {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = (state ^ (state >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return Int((mixed ^ (mixed >> 31)).multipliedFullWidth(by: UInt64(bound)).high)
    }
}
