import DLP

// How the script's thread ends, step by step.

extension RankLife {
    mutating func handleEnding(_ event: Event) -> [Action] {
        switch event {
        case .notConnected(let message):
            enter(.left)
            return [.removeMeetingFile, .say(message), .exit(3)]
        // A finalizer may call `os.exit` once more after this rank has taken leave.
        case .exited(let status, _, _) where phase == .left: return [.exit(status)]
        case .failed(let end) where phase == .left: return [.exit(end.status)]
        case .finished(let status, let isJob): return finished(status, isJob: isJob)
        case .exited(let status, let example, let isJob): return exited(status, example, isJob: isJob)
        case .failed(let end): return failed(end)
        case .interrupted:
            enter(.ending(.cause))
            return [.step(.awaitRoot(LifePeriods.rootsWord))]
        case .refused(let message, let status): return [.say(refusal(message))] + leave(status: status)
        default:
            guard case .ending(let question) = phase else { return [] }
            return answer(event, to: question)
        }
    }

    /// The script has finished.
    private mutating func finished(_ status: Int32, isJob: Bool) -> [Action] {
        // A joined rank has nothing more to do.
        if role == .joined { return leave(status: status) }
        enter(.ending(.others(status: status, areFilesClosed: false)))
        // An imperative script may run for any time. In a job all examples are done by now, so that the wait is
        // limited.
        return [.step(.awaitOthers(role == .root && isJob ? LifePeriods.othersFinish : nil))]
    }

    /// The script has called `os.exit`.
    ///
    /// In an imperative script every rank may finish by calling it with status 0. In any other case it ends the job,
    /// or, on a rank that does not yet take part, only this process.
    private mutating func exited(_ status: Int32, _ example: Int?, isJob: Bool) -> [Action] {
        let isFinished = status == 0 && !isJob
        let end = JobEnd.exit(status: status, rank: rank, example: example)
        switch role {
        case .root:
            let start: [Action] =
                [.expectEnd, .step(.flush), .step(.keepPartialResults), .closeFiles(because: end)]
                + (example == nil ? [.tell(nil)] : tellOnce(end))
            guard isFinished else { return start + close(status: status) }
            enter(.ending(.others(status: status, areFilesClosed: true)))
            return start + [.step(.awaitOthers(nil))]
        case .worker where isFinished: return [.expectEnd, .step(.flush), .step(.sayGoodbye)] + close(status: status)
        case .joined where !takesPart: return leave(status: status)
        case .worker, .joined:
            enter(.ending(.verdict(status: status, isClear: true)))
            return [.expectEnd, .step(.flush), .step(.report(end)), .step(.awaitRoot(LifePeriods.rootsVerdict))]
        }
    }

    /// The job ends early, as `end` says.
    private mutating func failed(_ end: JobEnd) -> [Action] {
        switch role {
        case .root:
            var end = end
            // A worker may have heard of a signal for all ranks, and have gone, before the root.
            if let signal, case .fault(let fault) = end, fault.phase == .communication {
                end = .interrupted(signal: signal)
            }
            let start: [Action] = [.expectEnd, .step(.flush), .step(.keepPartialResults), .closeFiles(because: end)]
            return start + tellOnce(end) + close(status: end.status)
        case .worker:
            let start: [Action] = [.expectEnd, .step(.flush), .step(.report(end))]
            switch end {
            case .stopped(let status): return start + close(status: status)
            case .fault(let fault) where fault.phase == .communication && fault.status == 3:
                return start + missRoot(fault.message)
            case .fault, .exit, .interrupted: return start + awaitVerdict(end)
            }
        case .joined:
            switch end {
            case .stopped(let status) where takesPart: return leaveEndedJob(status)
            case .stopped:
                return [.say(refusal("the job ended before this process could join it"))] + leave(status: 3)
            case .fault(let fault) where fault.phase == .communication:
                return [.say(refusal(fault.message))] + leave(status: 3)
            // The root tells the user why.
            case .fault, .exit, .interrupted:
                return [.expectEnd, .step(.flush), .step(.report(end))] + awaitVerdict(end)
            }
        }
    }

    private mutating func awaitVerdict(_ end: JobEnd) -> [Action] {
        enter(.ending(.verdict(status: end.status, isClear: false)))
        return [.step(.awaitRoot(LifePeriods.rootsVerdict))]
    }

    /// The root is gone, so one rank of each host tells the user.
    ///
    /// No rank tells it where all were asked to end, for example by a launcher that ends the job: then the reason is
    /// known.
    private mutating func missRoot(_ message: String) -> [Action] {
        enter(.ending(.dismissal(message)))
        return [.step(.awaitDismissal(LifePeriods.lateSignal))]
    }

    private mutating func answer(_ event: Event, to question: Question) -> [Action] {
        switch (question, event) {
        case (.others(let status, let areFilesClosed), .othersFinished(let jobStatus)):
            guard role == .root else { return [.expectEnd] + close(status: jobStatus ?? status) }
            if areFilesClosed { return close(status: status) }
            enter(.ending(.files(status: status)))
            return [.expectEnd, .closeFiles(because: nil), .step(.checkFiles)]
        case (.files(let status), .filesClosed(let failure)):
            if let failure { return failed(failure) }
            return close(status: status)
        case (.verdict(let status, let isClear), .rootAnswered(let jobStatus)):
            guard role == .joined else { return close(status: isClear ? status : jobStatus ?? status) }
            return isClear ? leave(status: status) : leaveEndedJob(jobStatus ?? status)
        case (.cause, .rootAnswered(let status?)): return failed(.stopped(status: status))
        case (.cause, .rootAnswered(nil)): return failed(lostRoot)
        case (.dismissal(let message), .dismissal(let wasDismissed)):
            if let signal { return close(status: 128 + signal) }
            if wasDismissed { return close(status: 3) }
            enter(.ending(.speech))
            return [.step(.speakForHost(message))]
        case (.speech, .spokeForHost(let hasSpoken)):
            guard hasSpoken else { return close(status: 3) }
            enter(.ending(.notice))
            return [.step(.awaitDismissal(LifePeriods.hostsNotice))]
        case (.notice, .dismissal): return close(status: 3)
        default: return []
        }
    }

    private var lostRoot: JobEnd {
        .fault(
            Fault(
                phase: .communication, message: "lost the connection to rank 0", rank: rank, host: HostName.current,
                status: 3))
    }

    // MARK: The last steps

    /// Takes leave as a rank that has been in the job from the start.
    private mutating func close(status: Int32) -> [Action] {
        enter(.left)
        return [.step(.close(status)), .exit(status)]
    }

    /// Leaves a job that goes on or has ended by itself.
    private mutating func leave(status: Int32) -> [Action] {
        enter(.left)
        return [.expectEnd, .step(.flush), .step(.sayGoodbye), .step(.close(0)), .exit(status)]
    }

    /// Leaves because the job has ended, and says so, because the root's message may be on another terminal.
    private mutating func leaveEndedJob(_ status: Int32) -> [Action] {
        let words: [Action] =
            status == 0 ? [] : [.say("rank \(rank): the job has ended with status \(status); rank 0 says why")]
        return words + leave(status: status)
    }

    /// Returns the message why this process does not take part, or no longer does.
    private func refusal(_ message: String) -> String {
        takesPart ? "rank \(rank): \(message)" : "cannot join the job: \(message)"
    }
}
