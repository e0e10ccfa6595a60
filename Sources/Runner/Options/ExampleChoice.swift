/// Examples of a list by their indices, as `--only` names them.
public struct ExampleRanges: Equatable, Sendable {
    /// Ranges of indices, counted from 1, in order and with gaps between them.
    let ranges: [ClosedRange<Int>]

    /// Parses indices and ranges `first-last`, separated by commas, in any order.
    init?(_ text: String) {
        var ranges: [ClosedRange<Int>] = []
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            let ends = part.split(separator: "-", omittingEmptySubsequences: false)
            guard ends.count <= 2, ends.allSatisfy({ $0.utf8.allSatisfy { (0x30...0x39).contains($0) } }),
                let first = ends.first.flatMap({ Int($0) }), let last = ends.last.flatMap({ Int($0) }),
                first >= 1, first <= last
            else { return nil }
            ranges.append(first...last)
        }
        self.ranges = ranges.sorted { $0.lowerBound < $1.lowerBound }.reduce(into: []) { merged, range in
            if let last = merged.last, range.lowerBound <= last.upperBound {
                merged[merged.count - 1] = last.lowerBound...max(last.upperBound, range.upperBound)
            } else {
                merged.append(range)
            }
        }
    }

    /// As the command line spells it.
    var text: String {
        ranges.map { $0.count == 1 ? "\($0.lowerBound)" : "\($0.lowerBound)-\($0.upperBound)" }.joined(separator: ",")
    }
}

/// How many examples of a list `--sample` draws.
public enum SampleSize: Equatable, Sendable {
    case count(Int)
    case percent(Double)

    /// Parses a number, or a number with a percent sign.
    init?(_ text: String) {
        if text.hasSuffix("%") {
            guard let percent = Double(text.dropLast()), percent > 0, percent <= 100 else { return nil }
            self = .percent(percent)
        } else {
            guard let count = Int(text), count >= 1 else { return nil }
            self = .count(count)
        }
    }

    /// As the command line spells it.
    var text: String {
        switch self {
        case .count(let count): "\(count)"
        case .percent(let percent): "\(percent)%"
        }
    }

    /// Returns how many of `count` examples to draw: at least one where there is one.
    func size(of count: Int) -> Int {
        switch self {
        case .count(let wanted): min(wanted, count)
        case .percent(let percent): min(max(Int((Double(count) * percent / 100).rounded()), 1), count)
        }
    }
}

extension JobOptions {
    /// Returns the option by which only some of the examples are done; nil where all are.
    ///
    /// - Throws: `UsageError` where there are several such options, or where one lacks what it needs.
    func choice() throws(UsageError) -> String? {
        let given = [
            only != nil ? "--only" : nil, sample != nil ? "--sample" : nil, failed == .yes ? "--failed" : nil,
        ].compactMap { $0 }
        guard given.count < 2 else {
            throw UsageError("\(given.joined(separator: " and ")) each choose examples: say one of them only")
        }
        if given == ["--failed"] {
            guard journal != nil else {
                throw UsageError("--failed takes its examples from a journal: add --journal FILE")
            }
            guard fresh != .yes else { throw UsageError("--failed needs the journal that --fresh throws away") }
        }
        return given.first
    }

    /// Whether only some of the examples are done.
    var isPartial: Bool { only != nil || sample != nil || failed == .yes }
}
