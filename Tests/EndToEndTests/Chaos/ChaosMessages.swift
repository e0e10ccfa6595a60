/// The messages of a chaos job on standard error, parsed.
struct ChaosMessages {
    /// A rank that is reported lost, and why.
    struct Loss {
        var rank: Int
        var host: String
        var cause: String
    }

    /// `lost rank ...; others do its examples`.
    private(set) var losses: [Loss] = []
    /// `lost rank ...`, as the end of the job.
    private(set) var fatalLosses: [Int] = []
    /// Ranks whose death the launcher reports as the end of the job.
    private(set) var killed: [Int] = []
    /// The ranks that report that their root has gone, each for its host.
    private(set) var missingRoot: [Int] = []
    /// Ranks that are reported to have come back.
    private(set) var returns: [Int] = []
    /// How many examples are reported as failed, where the job went on.
    private(set) var failedCount = 0
    /// Messages about a signal that has ended the job.
    private(set) var interruptions: [String] = []
    /// Ranks that are reported not to answer after all is done.
    private(set) var unanswering: [Int] = []
    /// Single examples that are reported as failed, with the message.
    private(set) var failures: [(example: Int, text: String)] = []
    /// All other messages.
    private(set) var others: [String] = []

    /// Parses the text; Lua's tracebacks are ignored.
    init(_ text: String) {
        for line in text.split(separator: "\n") where !line.hasPrefix("\t") && line != "stack traceback:" {
            read(String(line))
        }
    }

    private mutating func read(_ line: String) {
        let words = line.split(separator: " ").map { String($0) }
        let number = { (place: Int) in words.indices.contains(place) ? Int(words[place].filter(\.isNumber)) : nil }
        let isOurs = words[0] == "dlp-lua:" || words[0] == "ameexec:"
        if isOurs, line.contains(": lost rank "), let rank = number(3) {
            let consequences = ["; others do its examples", "; all is done"]
            guard let end = consequences.compactMap({ line.range(of: $0) }).first else {
                return fatalLosses.append(rank)
            }
            guard let host = line.range(of: "(host "), let cause = line.range(of: "): ") else {
                return others.append(line)
            }
            losses.append(
                Loss(
                    rank: rank, host: String(line[host.upperBound..<cause.lowerBound]),
                    cause: String(line[cause.upperBound..<end.lowerBound])))
        } else if isOurs, words.count > 4, words[1] == "rank", words[3] == "(pid", let rank = number(2) {
            killed.append(rank)
        } else if line.hasPrefix("dlp-lua: rank "), line.contains("): lost the connection to rank 0"),
            let rank = number(2)
        {
            missingRoot.append(rank)
        } else if isOurs, words.count > 1, words[1] == "interrupted" {
            interruptions.append(line)
        } else if line.hasPrefix("dlp-lua: rank "), line.contains("does not answer; all is done, so the job ends"),
            let rank = number(2)
        {
            unanswering.append(rank)
        } else if line.hasPrefix("dlp-lua: rank "), line.hasSuffix(") is back"), let rank = number(2) {
            returns.append(rank)
        } else if line.contains(" examples failed, first example "), let count = number(1) {
            failedCount = count
        } else if line.hasPrefix("dlp-lua: example "), words[3] == "failed", let example = number(2) {
            failures.append((example, line))
        } else if !(line.hasPrefix("dlp-lua: and ") && line.hasSuffix(" more")) {
            others.append(line)
        }
    }
}

extension String {
    /// Returns the range where `part` first occurs.
    fileprivate func range(of part: String) -> Range<Index>? {
        var start = startIndex
        while start < endIndex {
            if self[start...].hasPrefix(part) { return start..<index(start, offsetBy: part.count) }
            start = index(after: start)
        }
        return nil
    }
}
