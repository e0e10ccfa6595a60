/// How a job went, as one line of text.
public enum SummaryLine {
    /// The line, for a job in which all ranks together worked for `work` nanoseconds, and took `cpu` of their processors.
    ///
    /// How much faster it was than one rank is told by the processor time: ranks that wait for a processor work longer, but
    /// not more.
    ///
    /// - Parameters:
    ///   - longest: the longest example, from 1, and how many nanoseconds it took.
    ///   - peak: the most memory that a rank held, in bytes.
    ///   - crowd: how many ranks share how many processors, where these are fewer.
    public static func render(
        _ state: ProgressState, work: Int64, cpu: Int64, longest: (example: Int, nanoseconds: Int64)? = nil,
        peak: Int64? = nil, crowd: (ranks: Int, processors: Int)? = nil
    ) -> String {
        let isComplete = state.total.map { state.done >= $0 } ?? true
        var line = isComplete ? "done: " : "stopped: "
        if !isComplete, let total = state.total { line += "\(state.done) of \(Figures.count(total, "example"))" }
        if isComplete { line += Figures.count(state.done, "example") }
        if state.earlier > 0 { line += ", \(state.earlier) of them before," }
        line += " in \(Figures.time(seconds: state.elapsed)) on \(Figures.count(state.ranks, "rank"))"
        let seconds = Double(max(cpu, 0)) / 1e9
        line += "; work \(Figures.time(seconds: Double(max(work, 0)) / 1e9))"
        line += ", processors \(Figures.time(seconds: seconds))"
        if state.elapsed > 0, state.ranks > 0 {
            let speedup = seconds / state.elapsed
            line += ", speedup \(Figures.fixed(speedup, 1))"
            line += ", efficiency \(Figures.fixed(100 * speedup / Double(state.ranks), 0)) %"
        }
        // Of shorter ones nobody wants to know which it was.
        if let longest, longest.nanoseconds >= 1_000_000 {
            line += "; longest \(Figures.time(seconds: Double(longest.nanoseconds) / 1e9)) (example \(longest.example))"
        }
        if let peak { line += "; memory \(Figures.bytes(peak))" }
        if let crowd {
            line += "; \(crowd.ranks) ranks share \(Figures.count(crowd.processors, "processor")) of this host"
        }
        if state.failures > 0 { line += "; \(state.failures) failed" }
        if state.lostRanks > 0 { line += "; \(Figures.count(state.lostRanks, "rank")) lost" }
        return line
    }
}
