/// Judges what has become of a chaos job.
struct ChaosVerdict {
    let plan: ChaosPlan
    let outcome: Outcome
    let reference: Outcome
    let injected: [(fault: ChaosFault, begun: Int)]
    let messages: ChaosMessages
    let results: ChaosResults
    /// What is not as it should be.
    private(set) var complaints: [String] = []

    /// The workers that were taken from the job.
    private var victims: Set<Int> { Set(injected.compactMap { $0.fault.lostWorker }) }
    /// Whether the root or the launcher was killed.
    private var wasBeheaded: Bool { injected.contains { $0.fault.endsJob } }
    /// Whether a worker was taken when the job perhaps could not yet do without.
    private var wasHitEarly: Bool {
        injected.contains { $0.fault.kind.isDeadly && ($0.begun == 0 || $0.fault.moment < .begun(0, milliseconds: 0)) }
    }

    /// Whether the job has come to its end with all its results, but for examples that have failed.
    var isDone: Bool { outcome.status == 0 || outcome.status == 4 }
    /// How many of the results that should be there are not, where the job says that it is done.
    var lost: Int { isDone ? max(0, results.crashed.count - allowedCrashes) : 0 }

    private var allowedCrashes: Int { victims.count / plan.crashLimit }

    init(_ plan: ChaosPlan, _ outcome: Outcome, reference: Outcome, injected: [(fault: ChaosFault, begun: Int)]) {
        (self.plan, self.outcome, self.reference, self.injected) = (plan, outcome, reference, injected)
        messages = ChaosMessages(outcome.error)
        results = ChaosResults(outcome.lines, reference: reference.lines, plan: plan)
        complaints = results.wrong
        judgeMessages()
        switch plan.form {
        case .job where isDone: judgeDone()
        case .loop where isDone: expect(results.isComplete, "the loop has lost results")
        case .job, .loop: judgeEnd()
        }
    }

    private mutating func expect(_ isRight: Bool, _ complaint: String) {
        if !isRight { complaints.append(complaint) }
    }

    /// Each loss is said once, of a rank that was lost, and why; nothing else is said but what follows from it.
    private mutating func judgeMessages() {
        for line in messages.others { complaints.append("nobody wants to read: \(line)") }
        let ends = messages.fatalLosses + messages.killed
        let named = messages.losses.map(\.rank) + ends.filter { $0 > 0 }
        if !wasBeheaded {
            expect(victims.isSuperset(of: named), "ranks \(named) are said to be lost, not \(victims)")
            expect(messages.killed.allSatisfy { $0 > 0 }, "rank 0 is said to have been killed")
        }
        expect(Set(named).count == named.count, "a loss is said twice: \(named)")
        expect(wasBeheaded || ends.count <= 1, "several losses end the job")
        let missesRoot = messages.missingRoot.filter { rank in
            !injected.contains { $0.fault.victim == .rank(rank) && $0.fault.isCut }
        }
        expect(wasBeheaded || missesRoot.isEmpty, "ranks \(missesRoot) take the root for lost")
        for loss in messages.losses {
            let kinds = injected.filter { $0.fault.lostWorker == loss.rank }.map(\.fault)
            let right = kinds.contains {
                $0.isCut ? loss.cause.hasPrefix("it") : loss.cause.contains("signal 9 (Killed)")
            }
            expect(right || wasBeheaded, "the cause of the loss of rank \(loss.rank) is given as \(loss.cause)")
            expect(!loss.host.isEmpty && loss.host != "unknown", "rank \(loss.rank) has no host")
        }
    }

    /// A job that goes on has everything but the examples of which it says that they failed.
    private mutating func judgeDone() {
        let failing = plan.failing == 0 ? 0 : plan.examples / plan.failing
        let crashed = results.crashed.filter { plan.failing == 0 || $0 % plan.failing != 0 }
        expect(crashed.count <= allowedCrashes, "examples \(crashed.sorted()) are lost")
        expect(plan.sink == .collect || results.isComplete, "there are \(outcome.lines.count) lines")
        expect(
            messages.failedCount == failing + crashed.count, "\(messages.failedCount) examples are said to have failed")
        expect(outcome.status == (failing + crashed.count == 0 ? 0 : 4), "the status is \(outcome.status)")
        expect(crashed.isEmpty || plan.continues, "failed examples do not end the job")
        expect(messages.fatalLosses.isEmpty && messages.killed.isEmpty, "a loss is said to have ended the job")
        for (fault, begun) in injected where fault.lostWorker != nil && plan.cost > 0 && !fault.isCut {
            // What was still to be done took longer than it takes to see that a process is gone.
            guard begun * 2 < plan.examples, let rank = fault.lostWorker else { continue }
            expect(messages.losses.contains { $0.rank == rank } || wasHitEarly, "the loss of rank \(rank) is not said")
        }
    }

    /// A job that does not go on says why, and has a reason.
    private mutating func judgeEnd() {
        let status = outcome.status
        if wasBeheaded, status == 137 { return }
        switch plan.form {
        case .job:
            let isCrash =
                status == 1 && messages.failures.contains { $0.text.contains("died while at work on it") }
                && victims.count >= plan.crashLimit && !plan.continues
            let isEarly = wasHitEarly && (status == 3 && messages.fatalLosses.count == 1 || isKilledEarly)
            expect(isCrash || isEarly, "the job ends with status \(status)")
            if plan.sink != .lines { expect(plan.sink == .collect || outcome.output.isEmpty, "it has printed results") }
        case .loop:
            let isLoss = status == 3 && messages.fatalLosses.count == 1
            expect(isLoss || isKilledEarly, "the script ends with status \(status)")
        }
    }

    /// Whether the launcher has ended a job whose root did not yet lead it.
    private var isKilledEarly: Bool { outcome.status == 137 && messages.killed.count == 1 }
}

extension ChaosFault {
    /// Whether it breaks a connection.
    var isCut: Bool {
        if case .cut = kind { true } else { false }
    }
}
