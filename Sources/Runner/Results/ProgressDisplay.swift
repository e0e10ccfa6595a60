import AME
import CSystem
import DLP
import Glibc
import Report

/// Shows how far a loop is.
///
/// It draws on a separate thread, because the main thread may be in Lua and the service thread asleep. It also passes
/// on what the script prints meanwhile.
struct ProgressDisplay {
    private let thread: ServiceThread
    /// Closed to end the thread.
    private let stopper: Int32

    /// What to show, and where.
    struct Plan: Sendable {
        var mode: ProgressReporter.Mode
        var prefix = ""
        /// The launcher, and the width of its terminal, where the launcher draws for this process.
        var control: LauncherChannel?
        var columns: Int?
        var size: Int
    }

    /// Begins to show what `progress` returns; nil where nothing is to be shown.
    ///
    /// - Parameter costing: returns, while the costs of examples are being determined, for how many they are known;
    ///   and the time spent on that, in nanoseconds.
    init?(
        _ plan: Plan, _ progress: @escaping @Sendable () -> LoopProgress?,
        costing: @escaping @Sendable () -> (ProgressState.Costing?, UInt64)
    ) {
        guard plan.mode != .off, plan.mode == .on || plan.columns != nil || isDrawable(2) else { return nil }
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { return nil }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        let stopped = ends[0]
        guard let thread = try? ServiceThread({ Self.run(plan, progress, costing, until: stopped) }) else { return nil }
        self.thread = thread
        stopper = ends[1]
    }

    /// Shows the last state and a summary, and gives the terminal back.
    func finish() {
        close(stopper)
        thread.join()
    }

    private static func run(
        _ plan: Plan, _ progress: @Sendable () -> LoopProgress?,
        _ costing: @Sendable () -> (ProgressState.Costing?, UInt64),
        until stopped: Int32
    ) {
        defer { close(stopped) }
        if let control = plan.control {
            let sink = LauncherSink(control, columns: plan.columns)
            return report(plan, progress, costing, sink, descriptors: [stopped]) {}
        }
        // Other ranks print to the same terminal directly. Only the output of a single rank can be kept apart from
        // the display.
        if plan.size == 1, let terminal = TerminalGuard() {
            report(plan, progress, costing, terminal.output, descriptors: [stopped, terminal.descriptor]) {
                terminal.drain()
            }
            return terminal.stop()
        }
        report(plan, progress, costing, StatusOutput(descriptor: 2), descriptors: [stopped]) {}
    }

    /// Draws until the first of `descriptors` is closed, and calls `pass` where another one is readable.
    private static func report(
        _ plan: Plan, _ progress: () -> LoopProgress?, _ costing: () -> (ProgressState.Costing?, UInt64),
        _ sink: any ProgressSink, descriptors: [Int32], _ pass: () -> Void
    ) {
        let start = dlp_now()
        var last: LoopProgress?
        func state() -> ProgressState {
            let latest = progress()
            last = latest
            var state = ProgressState(
                done: latest?.done ?? 0, earlier: latest?.earlier ?? 0, total: latest?.total,
                failures: latest?.failures ?? 0, costShare: latest?.costShare,
                busyRanks: latest?.busy ?? 0, ranks: max(latest?.ranks ?? 0, 1), start: start, now: dlp_now())
            state.lostRanks = latest?.lost ?? 0
            (state.costing, state.costingTime) = costing()
            return state
        }
        var reporter = ProgressReporter(mode: plan.mode, prefix: plan.prefix, sink: sink, start: start)
        var polled = descriptors.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
        while polled[0].revents == 0 {
            let now = dlp_now()
            let wait = reporter.nextDeadline.map { $0 > now ? Int32(clamping: ($0 - now) / 1_000_000 + 1) : 0 } ?? -1
            poll(&polled, nfds_t(polled.count), wait)
            if polled.count > 1, polled[1].revents != 0 { pass() }
            reporter.update(state())
        }
        pass()
        let final = state()
        let processors = Int(dlp_processors())
        let ranksHere = last?.ranksHere ?? 1
        reporter.finish(
            final,
            summary: SummaryLine.render(
                final, work: Int64(clamping: last?.work ?? 0), cpu: Int64(clamping: last?.cpu ?? 0),
                longest: last?.longest.map { ($0.index + 1, $0.nanoseconds) }, peak: last?.peak,
                crowd: ranksHere > processors ? (ranksHere, processors) : nil))
    }
}

/// Draws through the launcher, which owns the terminal.
private final class LauncherSink: ProgressSink {
    private let control: LauncherChannel
    let columns: Int?
    private let output = StatusOutput(descriptor: 2)

    init(_ control: LauncherChannel, columns: Int?) {
        self.control = control
        self.columns = columns.map { $0 - 1 }
    }

    func show(status: String) {
        if columns != nil { control.send(.status(text: status)) }
    }

    func print(line: String) { output.print(line: line) }
}
