// What becomes known of the list of examples.

extension ManagedSchedule {
    /// The root has `count` more examples.
    ///
    /// - Precondition: the list is growing and not closed.
    public mutating func extend(by count: Int, into actions: inout [ScheduleAction]) {
        precondition(extent == .growing && length == nil && count >= 0, "this list of examples does not grow")
        queue.extend(by: count)
        if shareholders != nil { queue.reserveAll() }
        serveWaiting(into: &actions)
    }

    /// The root has no more examples.
    ///
    /// - Precondition: the list is growing.
    public mutating func close(into actions: inout [ScheduleAction]) {
        precondition(extent == .growing, "this list of examples does not grow")
        length = queue.end
        shareOut()
        for worker in shareholders ?? 0..<0 where workers[worker].phase == .waiting && workers[worker].share != nil {
            serve(worker, into: &actions)
        }
        waiting.removeAll { workers[$0].phase != .waiting }
        serveWaiting(into: &actions)
    }

    /// Gives the examples, all of which are known, to those that have shares.
    mutating func shareOut() {
        guard let shareholders else { return }
        queue.reserveAll()
        let shares = RoundRobinSchedule(length: queue.end, size: shareholders.count)
        for (number, worker) in shareholders.enumerated() {
            let share = shares.share(of: number)
            guard share.count > 0 else { continue }
            if workers[worker].isGone { queue.putBack(Lot(share)) } else { workers[worker].share = share }
        }
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
