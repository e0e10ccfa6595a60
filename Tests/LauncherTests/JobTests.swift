import AME
import Glibc
import Testing

@testable import Launcher

// Units of the clock in these tests.
private let second: UInt64 = 1_000_000_000
private let millisecond: UInt64 = 1_000_000

/// The signals that `actions` send, by rank.
private func signals(_ actions: [Job.Action]) -> [Int: Int32] {
    var sent: [Int: Int32] = [:]
    for case .signal(let rank, let signal) in actions { sent[rank] = signal }
    return sent
}

@Suite("The rules of a job")
struct JobTests {
    private func job(_ size: Int, terminalRank: Int? = nil, timeout: UInt64? = nil) -> Job {
        Job(size: size, terminalRank: terminalRank, timeout: timeout)
    }

    @Test("a job whose ranks all end with 0 ends with 0")
    func success() {
        var job = job(2)
        #expect(job.handle(.ended(rank: 1, .exited(0)), at: 0).isEmpty)
        #expect(job.deadline == nil)
        #expect(job.handle(.ended(rank: 0, .exited(0)), at: 9 * second).isEmpty)
        #expect(!job.isOver)
        #expect(job.handle(.alone, at: 9 * second).isEmpty)
        #expect(job.isOver)
        #expect(job.status == 0)
    }

    @Test("the status is that of the rank that failed first", arguments: [Ending.exited(3), .signalled(SIGSEGV)])
    func firstFailure(_ ending: Ending) {
        var job = job(3)
        _ = job.handle(.ended(rank: 2, .exited(0)), at: 0)
        _ = job.handle(.ended(rank: 1, ending), at: 1)
        _ = job.handle(.ended(rank: 0, .exited(7)), at: 2)
        #expect(job.status == ending.status)
    }

    @Test("ranks that are lost with their host end a job with status 3, and are no one's affair where rank 0 leads")
    func lostHost() {
        var job = job(4)
        _ = job.handle(.ended(rank: 2, .lost), at: 0)
        _ = job.handle(.ended(rank: 3, .lost), at: 0)
        #expect(signals(job.handle(.clock, at: second)) == [0: SIGTERM, 1: SIGTERM])
        #expect(job.status == 3)
        var led = self.job(4)
        _ = led.handle(.lead, at: 0)
        #expect(led.handle(.ended(rank: 2, .lost), at: 0) == [.notify(.lost(rank: 2))])
        #expect(led.deadline == nil && led.isLed)
        #expect(signals(led.handle(.ended(rank: 0, .lost), at: second)) == [1: SIGTERM, 3: SIGTERM])
        #expect(led.status == 3 && led.isLed)
    }

    @Test("after a failure the others get a moment, SIGTERM, a grace time and SIGKILL")
    func escalation() {
        var job = job(3)
        #expect(job.handle(.ended(rank: 1, .exited(3)), at: 0).isEmpty)
        #expect(job.deadline == 300 * millisecond)
        #expect(job.handle(.clock, at: 299 * millisecond).isEmpty)
        #expect(signals(job.handle(.clock, at: 300 * millisecond)) == [0: SIGTERM, 2: SIGTERM])
        #expect(job.handle(.ended(rank: 0, .signalled(SIGTERM)), at: second).isEmpty)
        #expect(job.deadline == 5300 * millisecond)
        #expect(signals(job.handle(.clock, at: 5300 * millisecond)) == [2: SIGKILL])
        #expect(job.status == 3)
    }

    @Test("a rank 0 that leads has more time to let all ranks finish what they do, as long as it is there")
    func leadersGrace() {
        var job = job(2, timeout: second)
        _ = job.handle(.lead, at: 0)
        #expect(signals(job.handle(.clock, at: second)) == [0: SIGTERM, 1: SIGTERM])
        #expect(job.deadline == 16 * second)
        #expect(signals(job.handle(.clock, at: 16 * second)) == [0: SIGKILL, 1: SIGKILL])

        var left = self.job(2)
        _ = left.handle(.lead, at: 0)
        _ = left.handle(.ended(rank: 0, .exited(1)), at: 0)
        #expect(signals(left.handle(.clock, at: 2 * second)) == [1: SIGTERM])
        #expect(left.deadline == 7 * second)
    }

    @Test("a rank that a signal killed is reported, unless the launcher sent it")
    func reportsKilled() {
        var job = job(4)
        #expect(job.handle(.ended(rank: 1, .signalled(SIGKILL)), at: 0).isEmpty)
        #expect(job.handle(.ended(rank: 2, .signalled(SIGSEGV)), at: 0).isEmpty)
        #expect(job.handle(.clock, at: 300 * millisecond).first == .reportKilled(rank: 1, signal: SIGKILL))
        #expect(job.status == 137)

        var rootless = self.job(3)
        let report = Job.Action.reportKilled(rank: 0, signal: SIGKILL)
        #expect(rootless.handle(.ended(rank: 0, .signalled(SIGKILL)), at: 0) == [report])

        var interrupted = self.job(1)
        _ = interrupted.handle(.signal(SIGINT, fromTerminal: false), at: 0)
        #expect(interrupted.handle(.ended(rank: 0, .signalled(SIGINT)), at: 1) == [.reportInterrupted])
        #expect(interrupted.status == 130)
    }

    @Test("a death that rank 0 turns out to cope with is for rank 0 to tell, that of rank 0 for the launcher")
    func leaderTells() {
        var job = job(3)
        #expect(job.handle(.ended(rank: 1, .signalled(SIGKILL)), at: 0).isEmpty)
        #expect(job.handle(.lead, at: 1) == [.notify(.signalled(rank: 1, signal: SIGKILL))])
        #expect(job.handle(.clock, at: second).isEmpty && job.deadline == nil)
        #expect(
            job.handle(.ended(rank: 0, .signalled(SIGKILL)), at: second)
                == [.reportKilled(rank: 0, signal: SIGKILL), .signal(rank: 2, SIGTERM)],
            "the others need not find out by themselves, and wonder")

        var late = self.job(3)
        _ = late.handle(.ended(rank: 1, .signalled(SIGKILL)), at: 0)
        let both = late.handle(.ended(rank: 0, .signalled(SIGSEGV)), at: 1)
        #expect(both == [.reportKilled(rank: 1, signal: SIGKILL)], "what rank 0 has not said nobody else will")
        #expect(late.handle(.lead, at: 2).isEmpty)
    }

    @Test("what ends the wait for rank 0 tells of the death first")
    func reportsBeforeKilling() {
        var job = job(2)
        _ = job.handle(.ended(rank: 1, .signalled(SIGKILL)), at: 0)
        _ = job.handle(.signal(SIGINT, fromTerminal: false), at: 1)
        #expect(
            job.handle(.signal(SIGINT, fromTerminal: false), at: second)
                == [.reportKilled(rank: 1, signal: SIGKILL), .signal(rank: 0, SIGKILL)])
    }

    @Test("rank 0 is signalled last, so that nobody without a signal sees it go")
    func order() {
        var job = job(3)
        #expect(
            job.handle(.signal(SIGTERM, fromTerminal: false), at: 0)
                == [.signal(rank: 2, SIGTERM), .signal(rank: 1, SIGTERM), .signal(rank: 0, SIGTERM)])
    }

    @Test("a signal goes to every rank; one from a terminal not again to the rank that had it from there")
    func forwarding() {
        var job = job(3, terminalRank: 1)
        #expect(
            signals(job.handle(.signal(SIGINT, fromTerminal: false), at: 0)) == [0: SIGINT, 1: SIGINT, 2: SIGINT])
        var other = self.job(3, terminalRank: 1)
        #expect(signals(other.handle(.signal(SIGINT, fromTerminal: true), at: 0)) == [0: SIGINT, 2: SIGINT])
        #expect(other.deadline == nil)
    }

    @Test("a second SIGINT or SIGTERM kills, and the status is that of the first", arguments: [SIGINT, SIGTERM])
    func secondSignal(_ signal: Int32) {
        var job = job(2)
        _ = job.handle(.signal(SIGINT, fromTerminal: false), at: 0)
        #expect(signals(job.handle(.signal(signal, fromTerminal: false), at: second)) == [0: SIGKILL, 1: SIGKILL])
        #expect(job.handle(.ended(rank: 0, .signalled(SIGKILL)), at: second).isEmpty)
        #expect(job.status == 130)
    }

    @Test("a second one lets a rank 0 that leads say its last word, and a third does not")
    func lastWord() {
        var job = job(2)
        _ = job.handle(.lead, at: 0)
        _ = job.handle(.signal(SIGTERM, fromTerminal: false), at: 0)
        #expect(signals(job.handle(.signal(SIGINT, fromTerminal: false), at: second)) == [0: SIGINT])
        #expect(job.deadline == 2 * second)
        var other = job
        #expect(signals(job.handle(.clock, at: 2 * second)) == [0: SIGKILL, 1: SIGKILL])
        #expect(
            signals(other.handle(.signal(SIGTERM, fromTerminal: false), at: 1500 * millisecond))
                == [0: SIGKILL, 1: SIGKILL])
    }

    @Test("the same signal within a tenth of a second is not a second one")
    func repetition() {
        var job = job(1)
        _ = job.handle(.signal(SIGTERM, fromTerminal: false), at: 0)
        #expect(job.handle(.signal(SIGTERM, fromTerminal: false), at: 99 * millisecond).isEmpty)
        #expect(signals(job.handle(.signal(SIGTERM, fromTerminal: false), at: 101 * millisecond)) == [0: SIGKILL])
    }

    @Test("SIGHUP is forwarded and does not make the next SIGINT the second")
    func hangUp() {
        var job = job(1)
        #expect(signals(job.handle(.signal(SIGHUP, fromTerminal: false), at: 0)) == [0: SIGHUP])
        #expect(signals(job.handle(.signal(SIGINT, fromTerminal: false), at: second)) == [0: SIGINT])
    }

    @Test("after a signal the ranks have the grace time to end one by one")
    func graceAfterInterruption() {
        var job = job(2)
        _ = job.handle(.signal(SIGINT, fromTerminal: false), at: 0)
        _ = job.handle(.ended(rank: 1, .signalled(SIGINT)), at: second)
        #expect(job.deadline == 6 * second)
        #expect(signals(job.handle(.clock, at: 6 * second)) == [0: SIGTERM])
        #expect(signals(job.handle(.clock, at: 11 * second)) == [0: SIGKILL])
        #expect(job.status == 130)
    }

    @Test("the time-out ends the job with 124, whatever the ranks end with")
    func timeout() {
        var job = job(2, timeout: 10 * second)
        #expect(job.deadline == 10 * second)
        #expect(job.handle(.clock, at: 9 * second).isEmpty)
        #expect(
            job.handle(.clock, at: 10 * second) == [
                .reportTimeout, .signal(rank: 1, SIGTERM), .signal(rank: 0, SIGTERM),
            ])
        _ = job.handle(.ended(rank: 0, .exited(0)), at: 10 * second)
        #expect(signals(job.handle(.clock, at: 15 * second)) == [1: SIGKILL])
        #expect(job.status == 124)
    }

    @Test("ranks that could not be started end those that were, with the status of the reason")
    func notStarted() {
        var job = job(4)
        #expect(signals(job.handle(.notStarted(first: 2, status: 1), at: 0)) == [0: SIGKILL, 1: SIGKILL])
        _ = job.handle(.ended(rank: 0, .signalled(SIGKILL)), at: 0)
        #expect(job.handle(.ended(rank: 1, .signalled(SIGKILL)), at: 0) == [.signalLeftovers(SIGKILL)])
        #expect(job.hasNoRanks)
        #expect(job.status == 1)

        var none = self.job(4)
        #expect(none.handle(.notStarted(first: 0, status: 2), at: 0).isEmpty)
        _ = none.handle(.alone, at: 0)
        #expect(none.isOver && none.status == 2)
    }

    @Test("lost output ends the job as SIGPIPE would")
    func outputLost() {
        var job = job(2)
        #expect(signals(job.handle(.outputLost(status: 141), at: 0)) == [0: SIGTERM, 1: SIGTERM])
        #expect(job.handle(.ended(rank: 0, .signalled(SIGTERM)), at: 0).isEmpty)
        #expect(job.status == 141)
    }

    @Test("lost output does not hide that a rank failed before")
    func outputLostAfterFailure() {
        var job = job(2)
        _ = job.handle(.ended(rank: 0, .exited(3)), at: 0)
        _ = job.handle(.clock, at: second)
        _ = job.handle(.outputLost(status: 141), at: second)
        #expect(job.status == 3)
    }
}

@Suite("A job that rank 0 leads")
struct LedJobTests {
    private func ledJob(_ size: Int) -> Job {
        var job = Job(size: size)
        _ = job.handle(.lead, at: 0)
        return job
    }

    @Test("a worker's end is told to rank 0 and ends nothing")
    func workerEnds() {
        var job = ledJob(3)
        #expect(job.handle(.ended(rank: 1, .signalled(9)), at: 0) == [.notify(.signalled(rank: 1, signal: 9))])
        #expect(job.handle(.ended(rank: 2, .exited(3)), at: 0) == [.notify(.exited(rank: 2, status: 3))])
        #expect(job.deadline == nil)
        #expect(job.status == 0)
    }

    @Test("the status is rank 0's", arguments: [Ending.exited(0), .exited(4), .signalled(SIGSEGV)])
    func status(_ ending: Ending) {
        var job = ledJob(2)
        _ = job.handle(.ended(rank: 1, .exited(9)), at: 0)
        _ = job.handle(.ended(rank: 0, ending), at: 0)
        #expect(job.status == ending.status)
    }

    @Test("after rank 0 the others have two seconds, SIGTERM, a grace time and SIGKILL")
    func farewell() {
        var job = ledJob(3)
        #expect(job.handle(.ended(rank: 0, .exited(0)), at: 0).isEmpty)
        #expect(job.handle(.ended(rank: 1, .exited(1)), at: second).isEmpty)
        #expect(job.deadline == 2 * second)
        #expect(signals(job.handle(.clock, at: 2 * second)) == [2: SIGTERM])
        #expect(signals(job.handle(.clock, at: 7 * second)) == [2: SIGKILL])
        #expect(job.status == 0)
    }

    @Test("rank 0 may say so shortly after a worker has failed, and is told of those that have ended")
    func lateLead() {
        var job = Job(size: 3)
        _ = job.handle(.ended(rank: 2, .exited(0)), at: 0)
        _ = job.handle(.ended(rank: 1, .exited(5)), at: 0)
        #expect(
            job.handle(.lead, at: 200 * millisecond) == [
                .notify(.exited(rank: 1, status: 5)), .notify(.exited(rank: 2, status: 0)),
            ])
        #expect(job.deadline == nil)
        _ = job.handle(.ended(rank: 0, .exited(0)), at: second)
        #expect(job.status == 0)
    }

    @Test("a rank 0 that has begun and ends with 0 before the job is over is a failure")
    func vanished() {
        var job = ledJob(3)
        _ = job.handle(.begun, at: 0)
        let actions = job.handle(.ended(rank: 0, .exited(0)), at: 0)
        #expect(actions.first == .reportUnfinished && signals(actions) == [1: SIGTERM, 2: SIGTERM])
        #expect(job.status == 3)
    }

    @Test("a rank 0 that has said that the job is over ends as it likes", arguments: [Ending.exited(0), .exited(4)])
    func over(_ ending: Ending) {
        var job = ledJob(2)
        _ = job.handle(.begun, at: 0)
        _ = job.handle(.over, at: 0)
        #expect(job.handle(.ended(rank: 0, ending), at: 0).isEmpty)
        #expect(job.status == ending.status)
    }

    @Test("a lead that is read after rank 0 has ended counts")
    func leadAfterTheEnd() {
        var job = Job(size: 2)
        _ = job.handle(.ended(rank: 0, .exited(0)), at: 0)
        #expect(job.handle(.lead, at: 0).isEmpty)
        #expect(job.deadline == 2 * second)
    }
}

@Suite("A job whose ranks a signal has killed")
struct InterruptedJobTests {
    @Test("the same where rank 0 has ended before the others could be started", arguments: [SIGINT, SIGTERM])
    func silentStart(_ signal: Int32) {
        var job = Job(size: 3)
        _ = job.handle(.signal(signal, fromTerminal: false), at: 0)
        #expect(job.handle(.ended(rank: 0, .signalled(signal)), at: 0).isEmpty)
        #expect(job.handle(.notStarted(first: 1, status: 128 + signal), at: 0) == [.reportInterrupted])
        #expect(job.hasNoRanks && job.status == 128 + signal)
    }

    @Test("where rank 0 could say nothing the launcher does, once", arguments: [SIGINT, SIGTERM])
    func silence(_ signal: Int32) {
        var job = Job(size: 2)
        _ = job.handle(.signal(signal, fromTerminal: false), at: 0)
        #expect(job.handle(.ended(rank: 0, .signalled(signal)), at: 0).isEmpty)
        #expect(job.handle(.ended(rank: 1, .exited(3)), at: 0) == [.reportInterrupted])
        #expect(job.status == 128 + signal)
    }

    @Test("where it has handled the signal, or leads, that is its own affair")
    func handled() {
        var handled = Job(size: 1)
        _ = handled.handle(.signal(SIGINT, fromTerminal: false), at: 0)
        #expect(handled.handle(.ended(rank: 0, .exited(130)), at: 0).isEmpty)
        var led = Job(size: 1)
        _ = led.handle(.lead, at: 0)
        _ = led.handle(.signal(SIGINT, fromTerminal: false), at: 0)
        #expect(led.handle(.ended(rank: 0, .signalled(SIGINT)), at: 0).isEmpty)
    }
}

@Suite("What outlives the ranks")
struct LeftoverTests {
    @Test("leftovers get a moment, SIGTERM, half a second, SIGKILL, and no more than two seconds after that")
    func pressing() {
        var job = Job(size: 1)
        #expect(job.handle(.ended(rank: 0, .exited(0)), at: 0).isEmpty)
        #expect(job.handle(.clock, at: 300 * millisecond) == [.signalLeftovers(SIGTERM)])
        #expect(job.handle(.clock, at: 800 * millisecond) == [.signalLeftovers(SIGKILL)])
        #expect(job.handle(.clock, at: 2799 * millisecond).isEmpty)
        #expect(!job.isOver)
        #expect(job.handle(.clock, at: 2800 * millisecond).isEmpty)
        #expect(job.isOver)
        #expect(job.status == 0)
    }

    @Test("a signal does not wait for leftovers")
    func interrupted() {
        var job = Job(size: 1)
        _ = job.handle(.ended(rank: 0, .exited(0)), at: 0)
        #expect(job.handle(.signal(SIGINT, fromTerminal: true), at: 1) == [.signalLeftovers(SIGKILL)])
        #expect(job.isOver)
    }

    @Test("who asks how far the job is, is answered by rank 0 where that is dlp-lua, and nothing else follows")
    func asked() {
        var job = Job(size: 3)
        #expect(job.handle(.asked, at: 0) == [.reportIgnorance] && job.deadline == nil && job.endingSignal == nil)
        _ = job.handle(.lead, at: 0)
        #expect(job.handle(.asked, at: 0) == [.signal(rank: 0, SIGUSR1)] && job.deadline == nil)
        _ = job.handle(.ended(rank: 0, .exited(0)), at: 0)
        #expect(job.handle(.asked, at: 0) == [.reportIgnorance] && job.status == 0)
    }
}
