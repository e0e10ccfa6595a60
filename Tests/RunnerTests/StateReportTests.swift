import DLP
import Report
import Scheduling
import Testing

@testable import Engine
@testable import Runner

@Suite("What a user is told who asks how far a job is")
struct StateReportTests {
    private let now: UInt64 = 5_000_000_000_000

    private func lines(_ activities: [RankState.Activity], _ progress: LoopProgress? = nil) -> [String] {
        let states = activities.enumerated().map { RankState(rank: $0, host: $0 == 0 ? "a" : nil, activity: $1) }
        return StateReport(progress, states, now: now, date: 1_000_000).text.split(separator: "\n").map { String($0) }
    }

    @Test("each rank has a line with what it does, and since when")
    func ranks() {
        let lines = lines([
            .works(Chunk(first: 16, count: 1), since: now - 3_290_000_000),
            .works(Chunk(first: 0, count: 4), since: now),
            .works(Chunk(first: 1, count: 3, stride: 10), since: now + 1), .waits, .sendsResults, .isElsewhere,
            .hasFinished, .isLost,
        ])
        let clock = /\d\d:\d\d:\d\d/
        #expect(
            lines.map { $0.replacing(clock, with: "HH:MM:SS") } == [
                "no examples have been handed out; 3 of 8 ranks at work, 1 lost",
                "\trank 0 (host a): example 17, since HH:MM:SS, for 3.2 s",
                "\trank 1: examples 1 to 4, since HH:MM:SS, for 0.0 s",
                "\trank 2: 3 examples of 2 to 22, since HH:MM:SS, for 0.0 s", "\trank 3: waits for an example",
                "\trank 4: sends its results", "\trank 5: is not at an example", "\trank 6: has finished",
                "\trank 7: is lost",
            ])
    }

    @Test("before the first example the first line says what has to be known before")
    func costing() {
        let report = StateReport(
            nil, [RankState(rank: 0, host: nil, activity: .waits)],
            costing: ProgressState.Costing(known: 3, wanted: 70), now: now, date: 1_000_000)
        #expect(
            report.text
                == "asks what examples cost, so far of 3 of 70; 0 of 1 ranks at work\n\trank 0: waits for an example"
        )
    }

    @Test("the first line says how far the job is")
    func summary() {
        var progress = LoopProgress(
            operation: 1, done: 12, earlier: 0, failures: 0, total: 60, busy: 1, ranks: 1, work: 0, cpu: 0)
        #expect(lines([.waits], progress)[0] == "12 of 60 examples done; 0 of 1 ranks at work")
        (progress.failures, progress.total) = (2, nil)
        #expect(lines([.waits], progress)[0] == "12 examples done, 2 of which failed; 0 of 1 ranks at work")
    }
}
