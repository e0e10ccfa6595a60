/// Formats a state of progress as one line of text.
public enum ProgressLine {
    private static let longestBar = 40
    private static let shortestBar = 8

    /// Returns the line.
    ///
    /// If `columns` is given, it has a bar, and is never wider than that.
    ///
    /// Where there is little room, the bar is left out first, and then the least important parts.
    public static func render(_ state: ProgressState, columns: Int? = nil, prefix: String = "") -> String {
        let prefix = TerminalText.printable(prefix)
        let head = prefix.isEmpty ? [] : ["\(prefix):"]
        guard let columns else { return (head + parts(state).map(\.text)).joined(separator: "  ") }

        var shown = parts(state)
        func line(bar: String?) -> String {
            let texts = shown.map(\.text)
            guard let bar else { return (head + texts).joined(separator: "  ") }
            return (head + texts.prefix(1) + [bar] + texts.dropFirst()).joined(separator: "  ")
        }
        while TerminalText.width(line(bar: nil)) > columns, shown.count > 1,
            let least = shown.indices.min(by: { shown[$0].weight < shown[$1].weight })
        {
            shown.remove(at: least)
        }
        if let fraction = state.fraction {
            let room = columns - TerminalText.width(line(bar: ""))
            if room >= shortestBar { return line(bar: bar(fraction, columns: min(room, longestBar))) }
        }
        return TerminalText.truncate(line(bar: nil), to: max(columns, 0))
    }

    /// The parts of the line, and how important each is.
    private static func parts(_ state: ProgressState) -> [(text: String, weight: Int)] {
        var parts: [(String, Int)] = []
        if let fraction = state.fraction {
            // Rounded down, so that 100 % means that nothing is left.
            let percent = String(Int(fraction * 100))
            parts.append((String(repeating: " ", count: 3 - percent.count) + "\(percent) %", 7))
        }
        if state.costing != nil {
            parts.append(("costs of the examples", 6))
            parts.append((Figures.clock(seconds: state.elapsed), 2))
            return parts
        }
        parts.append((state.total.map { "\(state.done)/\($0)" } ?? Figures.count(state.done, "example"), 6))
        if state.earlier > 0 { parts.append(("\(state.earlier) before", 0)) }
        if state.failures > 0 { parts.append(("\(state.failures) failed", 5)) }
        if state.lostRanks > 0 { parts.append(("\(Figures.count(state.lostRanks, "rank")) lost", 5)) }
        if state.recentRate != 0 { parts.append(("\(Figures.short(state.rate))/s", 3)) }
        if state.recentRate == nil { parts.append((Figures.clock(seconds: state.elapsed), 2)) }
        if let remaining = state.remaining, remaining > 0 {
            parts.append(("\(Figures.clock(seconds: remaining.rounded(.up))) left", 4))
        }
        if state.ranks > 0 { parts.append(("\(state.busyRanks)/\(state.ranks) ranks", 1)) }
        return parts
    }

    private static func bar(_ fraction: Double, columns: Int) -> String {
        let inside = columns - 2
        let filled = Int(fraction * Double(inside))
        let tip = filled < inside ? ">" : ""
        let rest = String(repeating: " ", count: inside - filled - tip.count)
        return "[\(String(repeating: "=", count: filled))\(tip)\(rest)]"
    }
}
