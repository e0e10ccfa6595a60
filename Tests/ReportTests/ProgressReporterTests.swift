import Testing

@testable import Report

@Suite("When progress is shown")
struct ProgressReporterTests {
    private static let millisecond: UInt64 = 1_000_000

    private func state(_ done: Int, at milliseconds: UInt64) -> ProgressState {
        ProgressState(done: done, total: 1000, start: 0, now: milliseconds * Self.millisecond)
    }

    @Test("at most ten times a second on a terminal, however often something happens")
    func terminal() {
        let sink = RecordingSink(columns: 80)
        var reporter = ProgressReporter(mode: .auto, sink: sink, start: 0)
        for millisecond in 1...1000 { reporter.update(state(millisecond, at: UInt64(millisecond))) }
        #expect(sink.events.count == 10)
    }

    @Test("once a second on a terminal where nothing happens")
    func idle() {
        let sink = RecordingSink(columns: 80)
        var reporter = ProgressReporter(mode: .auto, sink: sink, start: 0)
        reporter.update(state(1, at: 100))
        #expect(reporter.nextDeadline == 1100 * Self.millisecond)
        for millisecond in 101..<3100 { reporter.update(state(1, at: UInt64(millisecond))) }
        #expect(sink.events.count == 3)
        reporter.update(state(2, at: 3110))
        reporter.update(state(3, at: 3120))
        #expect(reporter.nextDeadline == 3210 * Self.millisecond)
    }

    @Test("as a whole line every ten seconds elsewhere, if wanted")
    func lines() {
        let sink = RecordingSink(columns: nil)
        var reporter = ProgressReporter(mode: .on, prefix: "fit", sink: sink, start: 0)
        #expect(reporter.nextDeadline == 10_000 * Self.millisecond)
        for second in 1...25 { reporter.update(state(second, at: UInt64(second) * 1000)) }
        #expect(
            sink.events == [
                .line("fit:    1 %  10/1000  1.00/s  0:00:10  0:16:30 left  0/1 ranks"),
                .line("fit:    2 %  20/1000  1.00/s  0:00:20  0:16:20 left  0/1 ranks"),
            ])
    }

    @Test(
        "never where it is not wanted",
        arguments: [(.off, 80), (.off, nil), (.auto, nil)] as [(ProgressReporter.Mode, Int?)])
    func silent(mode: ProgressReporter.Mode, columns: Int?) {
        let sink = RecordingSink(columns: columns)
        var reporter = ProgressReporter(mode: mode, sink: sink, start: 0)
        #expect(reporter.nextDeadline == nil)
        reporter.update(state(1, at: 60_000))
        reporter.finish(state(2, at: 70_000), summary: "done")
        #expect(sink.events.isEmpty)
    }

    @Test("for good at the end, with the summary below", arguments: [80, nil] as [Int?])
    func end(columns: Int?) {
        let sink = RecordingSink(columns: columns)
        let reporter = ProgressReporter(mode: .on, sink: sink, start: 0)
        let last = state(1000, at: 7)
        reporter.finish(last, summary: "done: all")
        #expect(
            sink.events == [.status(""), .line(ProgressLine.render(last, columns: columns)), .line("done: all")])
    }
}
