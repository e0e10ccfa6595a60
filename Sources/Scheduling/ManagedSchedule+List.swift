// What becomes known of the list of examples.

extension ManagedSchedule {
    /// The root has `count` more examples.
    ///
    /// - Precondition: the list is growing and not closed.
    public mutating func extend(by count: Int, into actions: inout [ScheduleAction]) {
        precondition(extent == .growing && length == nil && count >= 0, "this list of examples does not grow")
        queue.extend(by: count)
        reserveShares()
        serveWaiting(into: &actions)
    }

    /// The root has `count` more examples that are done already.
    ///
    /// - Precondition: the list is growing and not closed.
    public mutating func skip(_ count: Int) {
        precondition(extent == .growing && length == nil && count >= 0, "this list of examples does not grow")
        queue.skip(count)
        doneCount += count
        skippedCount += count
    }

    /// The root has no more examples.
    ///
    /// - Precondition: the list is growing.
    public mutating func close(into actions: inout [ScheduleAction]) {
        precondition(extent == .growing, "this list of examples does not grow")
        length = queue.end
        shareOut()
        for worker in isHalted ? 0..<0 : shareholders ?? 0..<0
        where workers[worker].phase == .waiting && !workers[worker].shares.isEmpty {
            serve(worker, into: &actions)
        }
        waiting.removeAll { workers[$0].phase != .waiting }
        serveWaiting(into: &actions)
    }

    /// Keeps what there is for those that have shares.
    private mutating func reserveShares() {
        guard shareholders != nil else { return }
        for run in queue.takeAllFresh() {
            if let last = reserved.indices.last, reserved[last].end == run.first {
                reserved[last].count += run.count
            } else {
                reserved.append(run)
            }
        }
    }

    /// Gives the examples, all of which are known, to those that have shares.
    mutating func shareOut() {
        guard let shareholders else { return }
        reserveShares()
        var position = reserved.reduce(0) { $0 + $1.count }
        // From the end, for what comes first is taken last, from a worker as from the queue.
        for run in reserved.reversed() {
            position -= run.count
            for (number, worker) in shareholders.enumerated() {
                let share = run.share(of: number, among: shareholders.count, after: position)
                guard share.count > 0 else { continue }
                if workers[worker].isGone {
                    queue.putBack(WorkUnit(share))
                } else {
                    workers[worker].shares.append(share)
                }
            }
        }
        reserved = []
    }

    /// A rank has come to the end of its copy of the list: there are `count` examples.
    ///
    /// - Throws: `ScheduleViolation` where the length is known and another, or an example behind the end is done.
    public mutating func lengthBecameKnown(
        _ count: Int, into actions: inout [ScheduleAction]
    ) throws(ScheduleViolation) {
        if let length {
            guard length == count else { throw disagreement(count, length) }
            return
        }
        guard extent == .unbounded, count >= 0 else {
            throw ScheduleViolation("a rank reported a length of the list of examples that cannot be")
        }
        guard count >= doneEnd else { throw disagreement(count, doneEnd) }
        length = count
        queue.cut(to: count)
        serveWaiting(into: &actions)
    }

    private func disagreement(_ one: Int, _ other: Int) -> ScheduleViolation {
        ScheduleViolation(
            "ranks disagree on the list of examples: it has \(one) on one rank and \(other) on another; "
                + "make the list the same on every rank")
    }
}
