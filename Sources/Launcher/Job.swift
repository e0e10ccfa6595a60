import AME
import Glibc

/// The rules of a job: which rank is sent which signal at which time, and the job's exit status.
///
/// It is a value without processes, descriptors or a clock: events go in, actions come out, and the caller gives the
/// time in nanoseconds. `Supervisor` performs the actions.
struct Job {
    private enum Phase: Hashable {
        case running
        /// Ranks may end by themselves until the given time.
        case waiting(until: UInt64)
        /// Ranks have been sent SIGTERM.
        case terminating(until: UInt64)
        /// Ranks have been sent SIGKILL.
        case killing
        /// No rank is left, but perhaps processes that ranks started. The first of these signals is due at the given
        /// time.
        case leftovers(next: ArraySlice<Int32>, at: UInt64)
        case over
    }

    /// The status of a job whose rank 0 was ended by something other than the job.
    private static let vanishedStatus: Int32 = 3

    private let size: Int
    /// The rank that shares the launcher's process group, and with it the signals that a terminal sends.
    private let terminalRank: Int?
    private var phase = Phase.running
    private var timeout: UInt64?
    /// Whether rank 0 handles the loss of other ranks and reports it to the user, or did so until its end.
    private(set) var isLed = false
    /// Whether rank 0 has said that it has begun, but not that the job is over.
    private var isUnfinished = false
    private var endings: [Ending?]
    private var alive: Int
    private var firstFailure: Ending?
    /// The report about the rank that failed first.
    ///
    /// It is not needed if rank 0 turns out to lead, and reports the failure itself.
    private var report: Action?
    /// The status of a job that the launcher itself ended.
    private var verdict: Int32?
    /// The first signal that was passed on to the ranks.
    private var interruption: Int32?
    /// The last signal that came, and when.
    private var last: (signal: Int32, time: UInt64)?
    /// Whether SIGINT or SIGTERM has come.
    private var wasAskedToEnd = false
    /// Whether the signal has come a second time, and rank 0 may report before all are killed.
    private var hadLastWord = false
    private var sent: Set<Int32> = []

    /// Creates a job of `size` running ranks, which is ended at the time `timeout`.
    init(size: Int, terminalRank: Int? = nil, timeout: UInt64? = nil) {
        self.size = size
        self.terminalRank = terminalRank
        self.timeout = timeout
        endings = Array(repeating: nil, count: size)
        alive = size
    }

    /// The signal with which the user has asked for the job's end, if any.
    var endingSignal: Int32? { wasAskedToEnd ? interruption : nil }

    /// Whether all ranks have ended.
    var hasNoRanks: Bool { alive == 0 }

    /// Whether nothing is left to do.
    var isOver: Bool { phase == .over }

    /// Whether what the ranks have left behind has been killed, and what that leaves is to be killed, too.
    var killsLeftovers: Bool { if case .leftovers(let next, _) = phase { next.isEmpty } else { false } }

    /// When `clock` is due, if ever.
    var deadline: UInt64? {
        switch phase {
        case .running: timeout
        case .waiting(let until): min(until, timeout ?? until)
        case .terminating(let until): until
        case .leftovers(_, let at): at
        case .killing, .over: nil
        }
    }

    /// The exit status, final once `isOver`: that of rank 0 where it leads, otherwise that of the rank that failed
    /// first.
    var status: Int32 {
        if let verdict { return verdict }
        if isLed, let ending = endings[0] { return seenByUser(ending).status }
        return firstFailure?.status ?? 0
    }

    /// Returns the actions for `event` at the time `now`.
    mutating func handle(_ event: Event, at now: UInt64) -> [Action] {
        let actions = react(to: event, at: now)
        // Until the other ranks are ended, rank 0 may still say that it leads.
        if case .waiting = phase, endings[0] == nil { return actions }
        guard let report else { return actions }
        self.report = nil
        return [report] + actions
    }

    private mutating func react(to event: Event, at now: UInt64) -> [Action] {
        switch event {
        case .ended(let rank, let ending): ended(rank, ending, now)
        case .notStarted(let first, let status): notStarted(first, status, now)
        case .signal(let signal, let fromTerminal): interrupted(signal, fromTerminal, now)
        case .asked: isLed && endings[0] == nil ? [.signal(rank: 0, SIGUSR1)] : [.reportIgnorance]
        case .lead: lead(now)
        case .begun: setUnfinished(true)
        case .over: setUnfinished(false)
        case .outputLost(let status): end(status: status, now)
        case .alone: alone()
        case .clock: clock(now)
        }
    }

    // MARK: - Ranks

    private mutating func setUnfinished(_ isUnfinished: Bool) -> [Action] {
        self.isUnfinished = isUnfinished
        return []
    }

    private mutating func ended(_ rank: Int, _ seen: Ending, _ now: UInt64) -> [Action] {
        // Something in rank 0 has ended its process, and it is not known what has become of the job.
        let hasVanished = rank == 0 && isUnfinished && seen == .exited(0)
        let ending = hasVanished ? .exited(Self.vanishedStatus) : seen
        endings[rank] = ending
        alive -= 1
        var actions: [Action] = hasVanished ? [.reportUnfinished] : []
        if isLed && rank != 0 && endings[0] == nil { actions.append(.notify(notice(rank, ending))) }
        let isFailure = ending != .exited(0) && (rank == 0 || !isLed)
        if isFailure && firstFailure == nil {
            firstFailure = seenByUser(ending)
            if case .signalled(let signal) = ending, !isSent(ending) {
                report = .reportKilled(rank: rank, signal: signal)
            }
        }
        if alive == 0 { return actions + ranksEnded(now) }
        if phase == .running {
            if isLed && rank == 0 {
                var isUnexpected = hasVanished
                if case .signalled = ending, !isSent(ending) { isUnexpected = true }
                if ending == .lost { isUnexpected = true }
                // The others are told at once, so that they need not find out what has become of rank 0.
                if isUnexpected { return actions + terminate(now) }
                phase = .waiting(until: now + Period.farewell)
            } else if isFailure {
                phase = .waiting(until: now + (interruption == nil ? Period.moment : Period.grace))
            }
        }
        return actions
    }

    /// Whether the user's signal has killed rank 0 before it could report anything.
    private var isInterruptedInSilence: Bool {
        guard let interruption, wasAskedToEnd, !isLed, let ending = endings[0] else { return false }
        return seenByUser(ending) == .signalled(interruption)
    }

    /// Whether the rank was killed by a signal of the launcher's.
    private func isSent(_ ending: Ending) -> Bool {
        if case .signalled(let signal) = ending { sent.contains(signal) } else { false }
    }

    /// For the user, a rank that was killed after the second signal ended by the first one.
    private func seenByUser(_ ending: Ending) -> Ending {
        if ending == .signalled(SIGKILL), sent.contains(SIGKILL), let interruption { return .signalled(interruption) }
        return ending
    }

    private func notice(_ rank: Int, _ ending: Ending) -> ControlMessage {
        switch ending {
        case .exited(let status): .exited(rank: rank, status: status)
        case .signalled(let signal): .signalled(rank: rank, signal: signal)
        case .lost: .lost(rank: rank)
        }
    }

    private mutating func lead(_ now: UInt64) -> [Action] {
        if isLed { return [] }
        isLed = true
        if endings[0] != nil {
            if phase == .running { phase = .waiting(until: now + Period.farewell) }
            return []
        }
        firstFailure = nil
        report = nil
        // Rank 0 may say that it leads only after a worker has failed; that is early enough until SIGTERM.
        if case .waiting = phase { phase = .running }
        return endings.indices.compactMap { rank in endings[rank].map { .notify(notice(rank, $0)) } }
    }

    private mutating func notStarted(_ first: Int, _ status: Int32, _ now: UInt64) -> [Action] {
        verdict = verdict ?? status
        for rank in first..<size { endings[rank] = .exited(status) }
        alive -= size - first
        return alive == 0 ? ranksEnded(now) : kill()
    }

    // MARK: - Ending the job

    /// Ends the job with `status`, unless it is being ended already.
    private mutating func end(status: Int32, _ now: UInt64) -> [Action] {
        switch phase {
        case .running, .waiting:
            verdict = verdict ?? status
            return terminate(now)
        case .terminating, .killing, .leftovers, .over:
            verdict = verdict ?? (firstFailure == nil ? status : nil)
            return []
        }
    }

    private mutating func interrupted(_ signal: Int32, _ fromTerminal: Bool, _ now: UInt64) -> [Action] {
        let repetition = isLed ? Period.leadersRepetition : Period.repetition
        let isRepetition = last.map { $0.signal == signal && now < $0.time + repetition } ?? false
        if isRepetition { return [] }
        last = (signal, now)
        let asksToEnd = signal == SIGINT || signal == SIGTERM
        if asksToEnd && (wasAskedToEnd || alive == 0) { return interruptedAgain(signal, fromTerminal, now) }
        wasAskedToEnd = wasAskedToEnd || asksToEnd
        interruption = interruption ?? signal
        return send(signal, except: fromTerminal ? terminalRank : nil)
    }

    /// Kills all ranks, but first lets a leading rank 0 report.
    private mutating func interruptedAgain(_ signal: Int32, _ fromTerminal: Bool, _ now: UInt64) -> [Action] {
        guard isLed, endings[0] == nil, !hadLastWord else { return kill() }
        hadLastWord = true
        phase = .terminating(until: now + Period.lastWord)
        sent.insert(signal)
        // Rank 0 ends the other ranks itself.
        return fromTerminal && terminalRank == 0 ? [] : [.signal(rank: 0, signal)]
    }

    private mutating func clock(_ now: UInt64) -> [Action] {
        var actions: [Action] = []
        if let timeout, now >= timeout {
            self.timeout = nil
            switch phase {
            case .running, .waiting:
                actions = [.reportTimeout] + end(status: 124, now)
            case .terminating, .killing, .leftovers, .over: break
            }
        }
        switch phase {
        case .waiting(let until) where now >= until: return actions + terminate(now)
        case .terminating(let until) where now >= until: return actions + kill()
        case .leftovers(let next, let at) where now >= at: return actions + pressLeftovers(next, now)
        default: return actions
        }
    }

    private mutating func terminate(_ now: UInt64) -> [Action] {
        phase = .terminating(until: now + (isLed && endings[0] == nil ? Period.leadersGrace : Period.grace))
        return send(SIGTERM)
    }

    private mutating func kill() -> [Action] {
        switch phase {
        case .leftovers:
            phase = .over
            return [.signalLeftovers(SIGKILL)]
        case .over: return []
        case .running, .waiting, .terminating, .killing:
            phase = .killing
            return send(SIGKILL)
        }
    }

    /// Sends a signal to all running ranks, rank 0 last: other ranks that see it go before they have the signal would
    /// take that for its death.
    private mutating func send(_ signal: Int32, except: Int? = nil) -> [Action] {
        sent.insert(signal)
        return endings.indices.reversed().filter { endings[$0] == nil && $0 != except }.map {
            .signal(rank: $0, signal)
        }
    }

    // MARK: - After the last rank

    private mutating func ranksEnded(_ now: UInt64) -> [Action] {
        let told: [Action] = isInterruptedInSilence ? [.reportInterrupted] : []
        return told + turnToLeftovers(now)
    }

    private mutating func turnToLeftovers(_ now: UInt64) -> [Action] {
        switch phase {
        case .running, .waiting:
            // A reader at the end of a pipe, such as `> >(tee log)`, gets a moment to finish.
            phase = .leftovers(next: [SIGTERM, SIGKILL], at: now + Period.moment)
            return []
        case .terminating: return pressLeftovers([SIGTERM, SIGKILL], now)
        case .killing: return pressLeftovers([SIGKILL], now)
        case .leftovers, .over: return []
        }
    }

    private mutating func pressLeftovers(_ signals: ArraySlice<Int32>, _ now: UInt64) -> [Action] {
        guard let signal = signals.first else {
            phase = .over
            return []
        }
        let wait = signal == SIGKILL ? Period.lastWait : Period.leftoverGrace
        phase = .leftovers(next: signals.dropFirst(), at: now + wait)
        return [.signalLeftovers(signal)]
    }

    private mutating func alone() -> [Action] {
        if alive == 0 { phase = .over }
        return []
    }
}
