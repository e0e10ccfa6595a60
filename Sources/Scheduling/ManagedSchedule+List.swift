// What becomes known of the list of examples.

extension ManagedSchedule {
    /// The root has `count` more examples.
    ///
    /// - Precondition: the list is growing and not closed.
    public mutating func extend(by count: Int, into actions: inout [ScheduleAction]) {
        precondition(grows && length == nil && count >= 0, "this list of examples does not grow")
        queue.extend(by: count)
        // The end of the list has moved.
        tailProbe = nil
        // Workers that get their shares chunk by chunk need not wait for the end of the list.
        if sharesInChunks {
            shareOut()
            serveShareholders(into: &actions)
        } else {
            reserveShares()
        }
        serveWaiting(into: &actions)
    }

    /// The root has `count` more examples that are done already.
    ///
    /// - Precondition: the list is growing and not closed.
    public mutating func skip(_ count: Int) {
        precondition(grows && length == nil && count >= 0, "this list of examples does not grow")
        queue.skip(count)
        doneCount += count
        skippedCount += count
    }

    /// The root has no more examples.
    ///
    /// - Precondition: the list is growing.
    public mutating func close(into actions: inout [ScheduleAction]) {
        precondition(grows, "this list of examples does not grow")
        length = queue.end
        shareOut()
        serveShareholders(into: &actions)
        serveWaiting(into: &actions)
    }

    /// Reserves what there is for the workers that have shares.
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

    /// Gives the examples that no worker has to the workers that have shares.
    mutating func shareOut() {
        guard let shareholders else { return }
        reserveShares()
        let end = sharedCount + reserved.reduce(0) { $0 + $1.count }
        defer { (reserved, sharedCount) = ([], end) }
        for (number, worker) in shareholders.enumerated() {
            // From the end, since the last element of such an array is taken first, by a worker as from the queue.
            var (shares, position): ([Chunk], Int) = ([], end)
            for run in reserved.reversed() {
                position -= run.count
                let share = run.share(of: number, among: shareholders.count, after: position)
                if share.count > 0 { shares.append(share) }
            }
            if workers[worker].isGone {
                for share in shares { queue.putBack(WorkUnit(share)) }
            } else {
                workers[worker].addShares(shares)
            }
        }
    }

    /// A rank has come to the end of its copy of the list: there are `count` examples.
    ///
    /// - Throws: `ScheduleViolation` where another length is known, or an example behind the end is done.
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
