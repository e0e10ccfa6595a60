/// Formats the outcome of a job as one line of text.
public enum SummaryLine {
    /// Returns the line for a job whose ranks together worked for `work` nanoseconds and used `cpu` nanoseconds of
    /// processor time.
    ///
    /// The speed-up is computed from processor time: ranks that wait for a processor work longer, but do not do more.
    ///
    /// - Parameters:
    ///   - longest: the number of the longest example, from 1, and its nanoseconds.
    ///   - peak: the peak memory of a rank, in bytes.
    ///   - crowd: how many ranks share how many processors, if there are fewer processors than ranks.
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
        // Below a millisecond it is of no interest which example was the longest.
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
