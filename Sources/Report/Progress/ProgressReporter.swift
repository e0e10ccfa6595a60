/// Decides when progress is shown.
///
/// Where the sink can redraw a line that is at most ten times a second, otherwise a whole line every ten seconds. It
/// has no clock: times come with the states, and `nextDeadline` says when it wants to see another one.
public struct ProgressReporter {
    /// Whether progress is wanted.
    public enum Mode: String, Sendable, CaseIterable {
        /// Where the sink can redraw a line.
        case auto
        /// Always.
        case on
        /// Never.
        case off
    }

    /// Nanoseconds between two drawings of the same line while something happens.
    private static let drawInterval: UInt64 = 100_000_000
    /// Nanoseconds after which the line is drawn again though nothing happened, for its times.
    private static let tickInterval: UInt64 = 1_000_000_000
    /// Nanoseconds between two whole lines.
    private static let lineInterval: UInt64 = 10_000_000_000

    private let prefix: String
    private let sink: any ProgressSink
    private let redraws: Bool
    private let isSilent: Bool
    private var shown: ProgressState
    private var hasNews = false

    /// A reporter of what begins at `start`, in nanoseconds of the monotonic clock.
    public init(mode: Mode, prefix: String = "", sink: any ProgressSink, start: UInt64) {
        self.prefix = prefix
        self.sink = sink
        redraws = sink.columns != nil
        isSilent = mode == .off || (mode == .auto && !redraws)
        shown = ProgressState(start: start, now: start)
    }

    /// When `update` should be called at the latest; nil for never.
    public var nextDeadline: UInt64? {
        guard !isSilent else { return nil }
        return shown.now + (redraws ? (hasNews ? Self.drawInterval : Self.tickInterval) : Self.lineInterval)
    }

    /// Shows `state` if it is time to.
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

    /// Shows the last state, for good, and below it `summary`; call it once.
    public consuming func finish(_ state: ProgressState, summary: String? = nil) {
        guard !isSilent else { return }
        sink.show(status: "")
        sink.print(line: ProgressLine.render(state, columns: sink.columns, prefix: prefix))
        if let summary { sink.print(line: summary) }
    }
}
