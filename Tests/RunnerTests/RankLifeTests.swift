import DLP
import Glibc
import TestSupport
import Testing

@testable import Runner

@Suite("A rank's life", .hangLimit)
struct RankLifeTests {
    /// An event in one state of a rank, and the resulting state.
    private struct Step {
        let before: RankWorld
        let event: RankLife.Event
        let actions: [RankLife.Action]
        let after: RankWorld
    }

    private static let beginnings = [
        RankLife(.root, speaks: true), RankLife(.root, speaks: false), RankLife(.worker, speaks: false),
        RankLife(.joined, speaks: false),
    ]

    /// Goes through all states that a rank can reach, and all events that can happen there.
    ///
    /// - Returns: the number of states.
    private func explore(from life: RankLife, _ look: (Step) -> Void) -> Int {
        let beginning = RankWorld(life: life)
        var seen: Set<RankWorld> = [beginning]
        var waiting = [beginning]
        while let before = waiting.popLast() {
            for event in before.events {
                var after = before
                let actions = after.happens(event)
                look(Step(before: before, event: event, actions: actions, after: after))
                if seen.insert(after).inserted { waiting.append(after) }
            }
        }
        return seen.count
    }

    @Test(
        "the script's thread always goes on: it is asked one thing, or ends, and ends only once", arguments: beginnings)
    func everyPathEnds(_ life: RankLife) {
        let states = explore(from: life) { step in
            let isLast = step.actions.dropLast().allSatisfy { action in
                switch action {
                case .exit, .exitNow, .dieBySignal: false
                case .step(let step): !RankWorld.asks(step)
                default: true
                }
            }
            #expect(isLast, "\(step)")
            guard RankWorld.isOfThread(step.event) else {
                let concernsThread = step.actions.contains { action in
                    switch action {
                    case .step, .exit: true
                    default: false
                    }
                }
                #expect(!concernsThread, "\(step)")
                return
            }
            switch step.actions.last {
            case .exit: #expect(!step.before.hasExited, "\(step)")
            case .step(let last): #expect(RankWorld.asks(last) && step.after.life.phase != .left, "\(step)")
            default: Issue.record("the script's thread does not know how to go on: \(step)")
            }
        }
        #expect(states > 100)
    }

    @Test("nothing more is done in a process that ends at once", arguments: beginnings)
    func nothingAfterTheEnd(_ life: RankLife) {
        _ = explore(from: life) { step in
            guard step.after.isOver else { return }
            #expect(step.after.life.phase == .gone, "\(step)")
            var life = step.after.life
            for event in step.before.events { #expect(life.handle(event) == [], "\(step), then \(event)") }
        }
    }

    @Test("no cause is told twice, and none of a root that fails goes untold", arguments: beginnings)
    func oneMessage(_ life: RankLife) {
        _ = explore(from: life) { step in
            #expect(step.after.reasonsTold <= 1, "\(step)")
            guard step.after.life.role == .root, case .failed = step.event else { return }
            #expect(step.after.reasonsTold == 1, "\(step)")
        }
    }

    @Test(
        "a process that a signal ends at once has the status of the first one",
        arguments: beginnings)
    func statusOfSignals(_ life: RankLife) {
        _ = explore(from: life) { step in
            guard let status = step.after.forced, step.before.forced == nil, let first = step.after.signals.first,
                step.after.life.role != .joined
            else { return }
            switch step.event {
            case .signal, .timeIsUp(.rootsReaction), .timeIsUp(.grace), .timeIsUp(.scriptsEnd):
                #expect(status == 128 + first, "\(step)")
            case .timeIsUp(.connection), .exampleIsStuck: #expect(status == 3, "\(step)")
            case .scriptIsOverdue(let end): #expect(status == end.status, "\(step)")
            default: Issue.record("nothing else ends a process at once: \(step)")
            }
        }
    }

    @Test("a root that is told to end does so although its script stands still")
    func rootEnds() {
        _ = explore(from: RankLife(.root, speaks: true)) { step in
            guard case .signal(let signal) = step.event, step.before.life.phase == .running,
                step.before.life.signal == nil
            else { return }
            if signal == SIGTERM, step.before.life.isInLoop {
                #expect(step.actions == [.halt, .set(.grace, LifePeriods.grace)], "\(step)")
                var world = step.after
                #expect(world.happens(.timeIsUp(.grace)) == [.endJob(.interrupted(signal: signal))], "\(step)")
            } else {
                #expect(step.actions == [.endJob(.interrupted(signal: signal))], "\(step)")
            }
        }
    }

    @Test("a worker whose script stands still ends when its root is gone, or a signal is not followed by the root's")
    func workerEnds() {
        _ = explore(from: RankLife(.worker, speaks: false)) { step in
            guard step.after.life.role == .worker, !step.after.isOver, step.after.life.phase != .left else { return }
            if case .lostRoot = step.event { #expect(step.after.timers.contains(.scriptsEnd), "\(step)") }
            if step.after.hasLostRoot {
                #expect(step.after.timers.contains(.scriptsEnd), "\(step)")
                var world = step.after
                _ = world.happens(.timeIsUp(.scriptsEnd))
                #expect(world.forced == (world.life.signal.map { 128 + $0 } ?? 3), "\(step)")
            }
            // Only running examples of a loop get more time, and only after SIGTERM.
            if step.after.signals.first == SIGINT { #expect(step.after.timers.contains(.rootsReaction), "\(step)") }
        }
    }

    // MARK: Rules

    /// Returns what the script's thread of a connected rank does after `event`, with these answers.
    private func end(
        _ role: RankLife.Role, takesPart: Bool = false, after signals: [Int32] = [], by event: RankLife.Event,
        _ answers: RankLife.Event...
    ) -> (status: Int32?, actions: [RankLife.Action]) {
        var world = RankWorld(life: RankLife(role, speaks: false))
        _ = world.happens(.connected(role, rank: role == .root ? 0 : 2))
        if takesPart { _ = world.happens(.takesPart) }
        for signal in signals { _ = world.happens(.signal(signal)) }
        var actions = world.happens(event)
        for answer in answers { actions += world.happens(answer) }
        guard case .done(let status) = world.thread else { return (nil, actions) }
        return (status, actions)
    }

    @Test("a rank of a job that was done ends with the job's status")
    func done() {
        let finished = RankLife.Event.finished(status: 4, isJob: true)
        #expect(end(.root, by: finished, .othersFinished(status: nil), .filesClosed(nil)).status == 4)
        #expect(end(.worker, by: .finished(status: 0, isJob: true), .othersFinished(status: 4)).status == 4)
        #expect(end(.joined, takesPart: true, by: .finished(status: 0, isJob: true)).status == 0)
    }

    @Test("a root waits for ranks of a job for a while, and for those of any other script for ever")
    func waiting() {
        let job = end(.root, by: .finished(status: 0, isJob: true))
        #expect(job.actions == [.step(.awaitOthers(LifePeriods.othersFinish))])
        let script = end(.root, by: .finished(status: 0, isJob: false))
        #expect(script.actions == [.step(.awaitOthers(nil))])
    }

    @Test("a journal that is not complete is told, and is no success")
    func fullDisk() {
        let end = end(
            .root, by: .finished(status: 0, isJob: true), .othersFinished(status: nil), .filesClosed(RankWorld.fullDisk)
        )
        #expect(end.status == 2 && end.actions.contains(.tell(RankWorld.fullDisk)))
    }

    @Test("a worker that is lost after a signal to the root is no lost rank", arguments: [SIGINT, SIGTERM])
    func interruptForAll(_ signal: Int32) {
        let end = end(.root, after: [signal], by: .failed(RankWorld.lostRank))
        #expect(end.status == 128 + signal && end.actions.contains(.tell(.interrupted(signal: signal))))
        #expect(self.end(.root, by: .failed(RankWorld.lostRank)).status == 3)
    }

    @Test("the first cause is that of the job: a worker ends with the status that the root gives its own")
    func verdict() {
        let fault = RankLife.Event.failed(RankWorld.workFault)
        for role in [RankLife.Role.worker, .joined] {
            #expect(end(role, takesPart: role == .joined, by: fault, .rootAnswered(143)).status == 143)
            #expect(end(role, takesPart: role == .joined, by: fault, .rootAnswered(nil)).status == 1)
        }
        let exit = RankLife.Event.exited(status: 7, example: 3, isJob: true)
        #expect(end(.worker, by: exit, .rootAnswered(1)).status == 7)
    }

    @Test("a root that learns its rank after a signal has come ends its job", arguments: [SIGINT, SIGTERM])
    func lateRoot(_ signal: Int32) {
        var life = RankLife(.worker, speaks: false)
        _ = life.handle(.signal(signal))
        #expect(life.handle(.connected(.root, rank: 0)) == [.takeCharge, .endJob(.interrupted(signal: signal))])
        #expect(life.handle(.timeIsUp(.rootsReaction)) == [])
    }

    @Test("a job that was halted is told once, whatever fails after that")
    func haltedOnce() {
        var world = RankWorld(life: RankLife(.root, speaks: true))
        _ = world.happens(.connected(.root, rank: 0))
        _ = world.happens(.loopBegan)
        #expect(world.happens(.signal(SIGTERM)) == [.halt, .set(.grace, LifePeriods.grace)])
        #expect(world.happens(.halted) == [.tellHowFar] && world.life.haltSignal == SIGTERM)
        let actions = world.happens(.failed(RankWorld.fullDisk))
        #expect(actions.contains(.tell(nil)) && world.reasonsTold == 1 && world.thread == .done(2))
    }

    @Test("a rank of an imperative script may finish by os.exit(0) without the others")
    func exits() {
        let exit = RankLife.Event.exited(status: 0, example: nil, isJob: false)
        let worker = end(.worker, by: exit)
        #expect(worker.status == 0 && worker.actions.contains(.step(.sayGoodbye)))
        #expect(end(.root, by: exit, .othersFinished(status: nil)).status == 0)
        #expect(end(.root, by: exit, .failed(RankWorld.workFault)).status == 1)
    }

    @Test("a root that is gone is told by one rank of a host, unless a signal says why")
    func lostRoot() {
        let lost = RankLife.Event.failed(RankWorld.lostRank)
        #expect(end(.worker, by: lost, .dismissal(true)).status == 3)
        let spoken = end(.worker, by: lost, .dismissal(false), .spokeForHost(true), .dismissal(false))
        #expect(spoken.status == 3 && spoken.actions.contains(.step(.speakForHost("lost rank 1"))))
        #expect(end(.worker, by: lost, .dismissal(false), .spokeForHost(false)).status == 3)
        #expect(end(.worker, after: [SIGTERM], by: lost, .dismissal(true)).status == 143)
        #expect(end(.worker, by: .interrupted, .rootAnswered(130)).status == 130)
        #expect(end(.worker, by: .interrupted, .rootAnswered(nil), .dismissal(true)).status == 3)
    }

    @Test("a rank that joins says why it does not take part, and leaves the job alone")
    func refused() {
        let refused = end(.joined, by: .refused("boom", status: 1))
        #expect(refused.status == 1 && refused.actions.first == .say("cannot join the job: boom"))
        #expect(!refused.actions.contains(.step(.report(RankWorld.workFault))))
        #expect(end(.joined, by: .failed(.stopped(status: 0))).status == 3)
        #expect(end(.joined, by: .exited(status: 7, example: nil, isJob: true)).status == 7)
        #expect(end(.joined, takesPart: true, by: .failed(.stopped(status: 0))).status == 0)
        let ended = end(.joined, takesPart: true, by: .failed(.stopped(status: 1)))
        #expect(ended.actions.first == .say("rank 2: the job has ended with status 1; rank 0 says why"))
    }

    @Test("a rank that has joined leaves on any signal, however many come", arguments: [SIGINT, SIGTERM, SIGHUP])
    func leaves(_ signal: Int32) {
        var life = RankLife(.joined, speaks: false)
        _ = life.handle(.connected(.joined, rank: 7))
        for _ in 0..<3 { #expect(life.handle(.signal(signal)) == [.leaveSoon]) }
    }

    @Test("a finalizer that calls os.exit once more ends the process, and nobody is told again")
    func exitsAgain() {
        for role in [RankLife.Role.root, .worker, .joined] {
            var world = RankWorld(life: RankLife(role, speaks: false))
            _ = world.happens(.connected(role, rank: role == .root ? 0 : 2))
            _ = world.happens(.failed(.stopped(status: 5)))
            #expect(world.happens(.exited(status: 7, example: nil, isJob: true)) == [.exit(7)])
        }
    }

    @Test("who asks how far the job is changes nothing, and only the root answers", arguments: beginnings)
    func asked(_ life: RankLife) {
        var answers = 0
        _ = explore(from: life) { step in
            guard step.event == .asked else { return }
            #expect(step.after == step.before, "\(step)")
            switch (step.before.life.role, step.before.life.phase) {
            case (.root, .running), (.root, .ending):
                #expect(step.actions == [.tellStates], "\(step)")
                answers += 1
            case (.root, .starting): #expect(step.actions == [.say("the ranks are not connected yet")], "\(step)")
            default: #expect(step.actions == [], "\(step)")
            }
        }
        #expect(answers > 0 || life.role == .joined)
    }
}
