/// Decides when progress is shown.
///
/// If the sink can redraw a line, it is shown ten times a second at most; otherwise a whole line is printed every ten
/// seconds. The reporter has no clock: the times come with the states, and `nextDeadline` says when it needs the next one.
public struct ProgressReporter {
    /// Whether progress is to be shown.
    public enum Mode: String, Sendable, CaseIterable {
        /// If the sink can redraw a line.
        case auto
        /// Always.
        case on
        /// Never.
        case off
    }

    /// Nanoseconds between two drawings of the line while something changes.
    private static let drawInterval: UInt64 = 100_000_000
    /// Nanoseconds after which the line is redrawn without a change, to update its times.
    private static let tickInterval: UInt64 = 1_000_000_000
    /// Nanoseconds between two whole lines.
    private static let lineInterval: UInt64 = 10_000_000_000

    private let prefix: String
    private let sink: any ProgressSink
    private let redraws: Bool
    private let isSilent: Bool
    private var shown: ProgressState
    private var hasNews = false

    /// A reporter of progress that begins at `start`, in nanoseconds of the monotonic clock.
    public init(mode: Mode, prefix: String = "", sink: any ProgressSink, start: UInt64) {
        self.prefix = prefix
        self.sink = sink
        redraws = sink.columns != nil
        isSilent = mode == .off || (mode == .auto && !redraws)
        shown = ProgressState(start: start, now: start)
    }

    /// The latest time at which `update` should be called; nil for never.
    public var nextDeadline: UInt64? {
        guard !isSilent else { return nil }
        return shown.now + (redraws ? (hasNews ? Self.drawInterval : Self.tickInterval) : Self.lineInterval)
    }

    /// Shows `state` if it is time for that.
    public mutating func update(_ state: ProgressState) {
        if state.done != shown.done || state.failures != shown.failures || state.busyRanks != shown.busyRanks
            || state.total != shown.total || state.lostRanks != shown.lostRanks || state.costing != shown.costing
        {
            hasNews = true
        }
        guard let nextDeadline, state.now >= nextDeadline else { return }
        shown = state
        hasNews = false
        if redraws {
            sink.show(status: ProgressLine.render(state, columns: sink.columns, prefix: prefix))
        } else {
            sink.print(line: ProgressLine.render(state, prefix: prefix))
        }
    }

    /// Shows the final state permanently, and below it `summary`.
    ///
    /// Must be called once.
    public consuming func finish(_ state: ProgressState, summary: String? = nil) {
        guard !isSilent else { return }
        sink.show(status: "")
        sink.print(line: ProgressLine.render(state, columns: sink.columns, prefix: prefix))
        if let summary { sink.print(line: summary) }
    }
}
