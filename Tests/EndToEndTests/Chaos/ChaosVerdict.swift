/// Judges the outcome of a chaos job.
struct ChaosVerdict {
    let plan: ChaosPlan
    let outcome: Outcome
    let reference: Outcome
    let injected: [ChaosJob.Injection]
    let messages: ChaosMessages
    let results: ChaosResults
    /// What is wrong.
    private(set) var complaints: [String] = []

    /// The workers that the job has lost, or may have lost.
    private var victims: Set<Int> {
        // A connection that breaks on the root's side also takes a worker, but any of them.
        let found = hasFailedCallOnRoot ? messages.losses.prefix(1).map(\.rank) + messages.fatalLosses.prefix(1) : []
        return Set(injected.compactMap { $0.fault.threatenedWorker } + found)
    }
    /// Whether the root or the launcher was killed.
    private var wasBeheaded: Bool { injected.contains { $0.fault.endsJob } }
    /// Whether a worker was taken at a time when the job may not have been able to do without it.
    private var wasHitEarly: Bool {
        injected.contains { $0.fault.kind.isDeadly && ($0.begun == 0 || $0.fault.moment < .begun(0, milliseconds: 0)) }
    }

    /// The signal by which the job was asked to end.
    private var interruption: ChaosJob.Injection? { injected.first { $0.fault.signal != nil } }
    /// Whether a call has failed whose failure should do harm.
    private var hasFailedCall: Bool { injected.contains { $0.fault.isFailingCall } }
    private var hasFailedCallOnRoot: Bool {
        injected.contains { $0.fault.isFailingCall && $0.fault.victim == .rank(0) }
    }

    /// Whether the job has finished with all its results, apart from examples that have failed.
    var isDone: Bool { outcome.status == 0 || outcome.status == 4 }
    /// How many expected results are missing, where the job reports that it is done.
    var lost: Int { isDone ? max(0, results.crashed.count - allowedCrashes) : 0 }

    private var allowedCrashes: Int { victims.count / plan.crashLimit }

    /// - Parameter remark: a message that must appear once.
    init(
        _ plan: ChaosPlan, _ outcome: Outcome, reference: Outcome, injected: [ChaosJob.Injection], remark: String? = nil
    ) {
        (self.plan, self.outcome, self.reference, self.injected) = (plan, outcome, reference, injected)
        messages = ChaosMessages(outcome.error)
        results = ChaosResults(outcome.lines, reference: reference.lines, plan: plan)
        complaints = results.wrong
        judgeMessages(remark)
        judgeInterruption()
        judgeStops()
        switch plan.form {
        case .job where isDone: judgeDone()
        case .loop where isDone: expect(results.isComplete, "the loop has lost results")
        case .job, .loop: judgeEnd()
        }
    }

    private mutating func expect(_ isRight: Bool, _ complaint: String) {
        if !isRight { complaints.append(complaint) }
    }

    /// Each lost rank must be reported once, with the right reason, and only expected messages may appear.
    private mutating func judgeMessages(_ remark: String?) {
        let remarks = messages.others.filter { line in remark.map(line.contains) ?? false }
        if let remark { expect(remarks.count == 1, "it does not say once: \(remark)") }
        // If a failing call ends the job, the reason is the system's message.
        let mayExplain = hasFailedCall && !isDone
        for line in messages.others where !remarks.contains(line) && !(mayExplain && Self.isMessage(line)) {
            complaints.append("nobody wants to read: \(line)")
        }
        expect(messages.others.count - remarks.count <= (mayExplain ? 2 : 0), "it says too much")
        let ends = messages.fatalLosses + messages.killed
        let named = messages.losses.map(\.rank) + ends.filter { $0 > 0 }
        if !wasBeheaded {
            expect(victims.isSuperset(of: named), "ranks \(named) are said to be lost, not \(victims)")
            // A signal during the start ends rank 0 like any program, and the launcher reports it.
            let mayBeKilled = hasFailedCall || interruption?.fault.victim == .rank(0)
            expect(mayBeKilled || messages.killed.allSatisfy { $0 > 0 }, "rank 0 is said to have been killed")
        }
        let once = named.filter { !messages.returns.contains($0) }
        expect(Set(once).count == once.count, "a loss is said twice: \(named)")
        expect(Set(named).isSuperset(of: messages.returns), "\(messages.returns) are back, and were not lost")
        expect(wasBeheaded || interruption != nil || ends.count <= 1, "several losses end the job")
        let missesRoot = messages.missingRoot.filter { rank in
            !injected.contains {
                // A stopped rank that was given up notices that when it goes on.
                $0.fault.victim == .rank(rank) && ($0.fault.isCut || $0.fault.isStop && named.contains(rank))
                    || $0.fault.isFailingCall && victims.contains(rank)
            }
        }
        // A root that is ended by its own failing call does not take leave of the others.
        let mayMissRoot = wasBeheaded || hasFailedCallOnRoot && !isDone
        expect(mayMissRoot || missesRoot.isEmpty, "ranks \(missesRoot) take the root for lost")
        for loss in messages.losses {
            let kinds = injected.map(\.fault).filter {
                $0.threatenedWorker == loss.rank || $0.isFailingCall && hasFailedCallOnRoot
            }
            let right = kinds.contains { $0.explains(loss.cause) }
            expect(right || wasBeheaded, "the cause of the loss of rank \(loss.rank) is given as \(loss.cause)")
            expect(!loss.host.isEmpty && loss.host != "unknown", "rank \(loss.rank) has no host")
        }
    }

    private static func isMessage(_ line: String) -> Bool {
        (line.hasPrefix("dlp-lua: ") || line.hasPrefix("ameexec: ")) && !line.contains("Fatal error")
    }

    /// A signal must be reported once and determine the status, unless all was done.
    private mutating func judgeInterruption() {
        let told = messages.interruptions
        guard let interruption, let signal = interruption.fault.signal else {
            return expect(told.isEmpty, "nobody has interrupted it: \(told)")
        }
        let count = told.count + messages.killed.count { $0 == 0 }
        expect(count <= 1 || wasBeheaded, "it says so more than once")
        if outcome.status == 128 + signal {
            expect(count == 1 || !interruption.isHeard || wasBeheaded, "it does not say that it was interrupted")
        }
    }

    /// A rank that is stopped for good must be named once.
    private mutating func judgeStops() {
        for injection in injected {
            guard case .stop(let seconds) = injection.fault.kind, let rank = injection.fault.threatenedWorker else {
                continue
            }
            // The rank may have taken leave already.
            let mayHaveLeft = injection.begunAfter ?? 0 >= plan.examples
            let named = messages.losses.map(\.rank) + messages.fatalLosses + messages.killed + messages.unanswering
            let count = named.count { $0 == rank }
            expect(count <= 1, "rank \(rank) is named \(count) times")
            expect(
                seconds != nil || count == 1 || mayHaveLeft || !isDone, "rank \(rank), which stands still, is not named"
            )
        }
        let stopped = injected.filter(\.fault.isStop).compactMap { $0.fault.threatenedWorker }
        expect(
            Set(stopped).isSuperset(of: messages.unanswering), "ranks \(messages.unanswering) are said not to answer")
    }

    /// A job that goes on must have all results, apart from the examples that it reports as failed.
    private mutating func judgeDone() {
        let failing = plan.failing == 0 ? 0 : results.count / plan.failing
        let crashed = results.crashed.filter { plan.failing == 0 || $0 % plan.failing != 0 }
        expect(crashed.count <= allowedCrashes, "examples \(crashed.sorted()) are lost")
        expect(plan.sink == .collect || results.isComplete, "there are \(outcome.lines.count) lines")
        expect(
            messages.failedCount == failing + crashed.count, "\(messages.failedCount) examples are said to have failed")
        expect(outcome.status == (failing + crashed.count == 0 ? 0 : 4), "the status is \(outcome.status)")
        expect(crashed.isEmpty || plan.continues, "failed examples do not end the job")
        // After a signal, no other rank is said to redo the examples of a lost rank.
        let areTold = interruption == nil && !messages.fatalLosses.isEmpty || !messages.killed.isEmpty
        expect(!areTold, "a loss is said to have ended the job")
        for injection in injected where plan.cost > 0 && !injection.fault.isCut {
            // The rest of the job took longer than noticing that a process is gone.
            guard let begun = injection.begunAfter, begun * 2 < results.count, let rank = injection.fault.lostWorker
            else { continue }
            expect(messages.losses.contains { $0.rank == rank } || wasHitEarly, "the loss of rank \(rank) is not said")
        }
    }

    /// A job that does not go on must say why, and have a reason.
    private mutating func judgeEnd() {
        let status = outcome.status
        if wasBeheaded, status == 137 { return }
        if let signal = interruption?.fault.signal, status == 128 + signal { return }
        if hasFailedCall {
            expect(!outcome.error.isEmpty, "it ends without a word")
            return expect(1...3 ~= status || isKilledEarly, "the job ends with status \(status)")
        }
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

    /// Whether this fault can cause the loss of a rank for this reason.
    fileprivate func explains(_ cause: String) -> Bool {
        switch kind {
        case .cut: cause.hasPrefix("it")
        case .stop: cause.contains("does not answer")
        case .failingCall: !cause.isEmpty
        default: cause.contains("signal 9 (Killed)")
        }
    }
}
