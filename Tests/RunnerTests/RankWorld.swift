import DLP
import Glibc

@testable import Runner

/// A rank's life with its surroundings; a test chooses what happens next.
struct RankWorld: Hashable {
    /// What the script's thread does.
    enum Thread: Hashable { case inScript, asking, done(Int32) }

    var life: RankLife
    var thread = Thread.inScript
    var timers: Set<RankLife.Timer> = []
    var signals: [Int32] = []
    /// The status with which the process was ended at once.
    var forced: Int32?
    /// How often the user was told why this rank or its job ends.
    var reasonsTold = 0
    var hasLostRoot = false
    var hasHeardOfEnd = false
    var hasJobEnded = false
    var isExampleStuck = false
    var hasHalted = false

    static let workFault = JobEnd.fault(Fault(phase: .work, message: "boom", rank: 2, host: "h"))
    static let lostRank = JobEnd.fault(
        Fault(phase: .communication, message: "lost rank 1", rank: 1, host: "h", status: 3))
    static let fullDisk = JobEnd.fault(Fault(phase: .load, message: "disk full", rank: 0, host: "h", status: 2))

    var hasExited: Bool { if case .done = thread { true } else { false } }
    var isOver: Bool { forced != nil }

    /// Whether `event` comes from the script's thread, which then performs the actions.
    static func isOfThread(_ event: RankLife.Event) -> Bool {
        switch event {
        case .notConnected, .finished, .exited, .failed, .interrupted, .refused, .rootAnswered, .othersFinished,
            .filesClosed, .dismissal, .spokeForHost:
            true
        default: false
        }
    }

    /// All events that can happen next.
    var events: [RankLife.Event] {
        guard !isOver else { return [] }
        var events: [RankLife.Event] = timers.map { .timeIsUp($0) }
        if signals.count < 2 { events += [.signal(SIGINT), .signal(SIGTERM)] }
        events.append(.asked)
        if life.role != .root, life.phase != .starting, !hasLostRoot { events.append(.lostRoot) }
        if life.role == .worker, life.phase != .starting, !hasHeardOfEnd { events.append(.rootHasEnded) }
        if life.role == .root, !hasExited {
            events.append(hasJobEnded ? .scriptIsOverdue(Self.workFault) : .jobEnded)
        }
        switch thread {
        case .inScript: return events + (life.phase == .starting ? eventsAtStart : eventsInScript)
        case .asking: return events + answers
        case .done: return events
        }
    }

    private var eventsAtStart: [RankLife.Event] {
        switch life.role {
        case .root: [.connected(.root, rank: 0), .notConnected("no way")]
        case .worker:
            [.connected(.worker, rank: 2), .connected(.root, rank: 0), .notConnected("no way")]
                + (life.rank == 0 && timers.isEmpty ? [.connecting(within: 60, speaks: false)] : [])
        case .joined: [.connected(.joined, rank: 7)]
        }
    }

    private var eventsInScript: [RankLife.Event] {
        var events: [RankLife.Event] = [
            life.isInLoop ? .loopEnded : .loopBegan, .scriptOpened, .finished(status: 0, isJob: true),
            .finished(status: 0, isJob: false), .finished(status: 4, isJob: true), .failed(Self.workFault),
            .failed(Self.lostRank), .failed(.stopped(status: 5)), .failed(.interrupted(signal: SIGINT)),
        ]
        for status: Int32 in [0, 7] {
            for example in [nil, 3] {
                for isJob in [false, true] { events.append(.exited(status: status, example: example, isJob: isJob)) }
            }
        }
        if !isExampleStuck { events.append(.exampleIsStuck(Fault(phase: .work, message: "stuck", rank: 2, host: "h"))) }
        switch life.role {
        case .root: if !hasHalted { events.append(.halted) }
        case .worker: events.append(.interrupted)
        case .joined:
            events += [.interrupted, .refused("no", status: 1)]
            if !life.takesPart { events.append(.takesPart) }
        }
        return events
    }

    private var answers: [RankLife.Event] {
        guard case .ending(let question) = life.phase else { return [] }
        switch question {
        case .others:
            return [.othersFinished(status: life.role == .root ? nil : 6), .failed(Self.lostRank)]
        case .files: return [.filesClosed(nil), .filesClosed(Self.fullDisk)]
        case .verdict, .cause: return [.rootAnswered(nil), .rootAnswered(9)]
        case .dismissal, .notice: return [.dismissal(false), .dismissal(true)]
        case .speech: return [.spokeForHost(false), .spokeForHost(true)]
        }
    }

    /// Lets `event` happen.
    ///
    /// - Returns: the resulting actions.
    mutating func happens(_ event: RankLife.Event) -> [RankLife.Action] {
        switch event {
        case .signal(let signal): signals.append(signal)
        case .timeIsUp(let timer): timers.remove(timer)
        case .lostRoot: hasLostRoot = true
        case .rootHasEnded: hasHeardOfEnd = true
        case .jobEnded: hasJobEnded = true
        case .exampleIsStuck: isExampleStuck = true
        case .halted: hasHalted = true
        default: break
        }
        let actions = life.handle(event)
        // An answer to a question does not count as a reason.
        if event != .asked { for action in actions { note(action) } }
        return actions
    }

    private mutating func note(_ action: RankLife.Action) {
        switch action {
        case .set(let timer, _): timers.insert(timer)
        case .tell(.some), .tellHowFar, .say, .giveUp, .step(.speakForHost): reasonsTold += 1
        case .exitNow(let status): forced = status
        case .dieBySignal(let signal): forced = 128 + signal
        case .exit(let status): thread = .done(status)
        case .step(let step): if Self.asks(step) { thread = .asking }
        default: break
        }
    }

    /// Whether a step brings an answer.
    static func asks(_ step: RankLife.Step) -> Bool {
        switch step {
        case .checkFiles, .awaitOthers, .awaitRoot, .awaitDismissal, .speakForHost: true
        case .flush, .keepPartialResults, .report, .sayGoodbye, .close: false
        }
    }
}
