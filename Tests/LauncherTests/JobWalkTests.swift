import AME
import Glibc
import Simulation
import Testing

@testable import Launcher

/// Feeds any events to a job and checks the rules that must always hold.
private struct Walk {
    var job: Job
    var now: UInt64 = 0
    var running: Set<Int>
    /// The events so far, to be shown when a rule is broken.
    var history: [Job.Event] = []
    var failures: [Ending] = []
    /// Whether only ends of ranks and signals that do not end the job have come.
    var isPlain = true
    /// Ranks that were sent SIGKILL.
    var killed: Set<Int> = []

    init(size: Int) {
        job = Job(size: size)
        running = Set(0..<size)
    }

    /// Handles `event`; false where it cannot happen now.
    mutating func take(_ event: Job.Event) -> Bool {
        switch event {
        case .ended(let rank, let ending):
            guard running.remove(rank) != nil else { return false }
            if ending != .exited(0) { failures.append(ending) }
        case .alone:
            guard running.isEmpty else { return false }
        case .notStarted(let first, _):
            guard history.isEmpty else { return false }
            running = running.filter { $0 < first }
            isPlain = false
        case .lead, .begun, .over, .outputLost: isPlain = false
        case .signal(let signal, _): if signal == SIGINT || signal == SIGTERM { isPlain = false }
        case .clock, .asked: break
        }
        history.append(event)
        let actions = job.handle(event, at: now)
        check(actions)
        return true
    }

    mutating func check(_ actions: [Job.Action]) {
        for action in actions {
            if case .signal(let rank, let signal) = action {
                #expect(running.contains(rank), "a rank that has ended is sent a signal: \(history)")
                if signal == SIGKILL { killed.insert(rank) }
            }
        }
        #expect(job.hasNoRanks == running.isEmpty, "\(history)")
        #expect(!job.isOver || running.isEmpty, "a job ends before its ranks: \(history)")
        if isPlain { #expect(job.status == failures.first?.status ?? 0, "\(history)") }
    }

    /// Lets only time pass, with ranks that ignore everything but SIGKILL, until the job is over or waits for them.
    mutating func exhaust() {
        for _ in 0..<20 {
            for rank in killed.intersection(running) {
                running.remove(rank)
                let actions = job.handle(.ended(rank: rank, .signalled(SIGKILL)), at: now)
                check(actions)
            }
            guard let deadline = job.deadline else { break }
            now = max(now, deadline)
            let actions = job.handle(.clock, at: now)
            check(actions)
        }
        #expect(job.deadline == nil, "a job has always another deadline: \(history)")
        if running.isEmpty || (isPlain && !failures.isEmpty) {
            #expect(job.isOver, "a job goes on that has failed or has no ranks: \(history)")
        }
    }
}

@Suite("Any course of a job")
struct JobWalkTests {
    private static let alphabet: [Job.Event] = [
        .ended(rank: 0, .exited(0)), .ended(rank: 0, .signalled(SIGKILL)), .ended(rank: 1, .exited(0)),
        .ended(rank: 1, .exited(3)), .signal(SIGINT, fromTerminal: false), .signal(SIGHUP, fromTerminal: true), .lead,
        .outputLost(status: 141), .alone, .clock, .asked, .notStarted(first: 1, status: 1),
    ]

    @Test("two ranks, all courses of up to four events, at once and far apart", arguments: [UInt64(0), 1_500_000_000])
    func allShortCourses(_ step: UInt64) {
        var courses = [Walk(size: 2)]
        for _ in 0..<4 {
            var longer: [Walk] = []
            for course in courses {
                for event in Self.alphabet {
                    var next = course
                    next.now += step
                    if next.take(event) { longer.append(next) }
                }
            }
            courses = longer
        }
        #expect(courses.count > 1000)
        for index in courses.indices { courses[index].exhaust() }
    }

    @Test("many ranks, random courses", arguments: 0..<200)
    func randomCourse(_ seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let size = Int.random(in: 1...20, using: &generator)
        var walk = Walk(size: size)
        for _ in 0..<60 {
            walk.now += UInt64.random(in: 0...1_000_000_000, using: &generator)
            let rank = Int.random(in: 0..<size, using: &generator)
            switch Int.random(in: 0..<20, using: &generator) {
            case 0..<8: _ = walk.take(.ended(rank: rank, .exited(0)))
            case 8: _ = walk.take(.ended(rank: rank, .exited(Int32(rank + 1))))
            case 9: _ = walk.take(.ended(rank: rank, .signalled(SIGSEGV)))
            case 10: _ = walk.take(.signal(SIGTERM, fromTerminal: false))
            case 11: _ = walk.take(.lead)
            case 13: _ = walk.take(.ended(rank: rank, .lost))
            case 12: _ = walk.take(.alone)
            default: _ = walk.take(.clock)
            }
        }
        walk.exhaust()
    }
}
