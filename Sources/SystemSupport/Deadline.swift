import CSystem

/// A moment of the monotonic clock until which something may wait, or never.
package struct Deadline {
    /// Nanoseconds of the monotonic clock; nil: never.
    package let moment: UInt64?

    package init(_ moment: UInt64?) { self.moment = moment }

    /// The moment `nanoseconds` from now.
    package static func after(_ nanoseconds: UInt64) -> Deadline {
        let (moment, overflow) = dlp_now().addingReportingOverflow(nanoseconds)
        return Deadline(overflow ? nil : moment)
    }

    package var hasPassed: Bool { moment.map { dlp_now() >= $0 } ?? false }

    /// The timeout as `poll` and similar functions take it: milliseconds from now, rounded up, or -1 for ever.
    package var milliseconds: Int32 {
        guard let moment else { return -1 }
        let now = dlp_now()
        return moment <= now ? 0 : Int32(clamping: (moment - now - 1) / 1_000_000 + 1)
    }

    /// The earlier one.
    package static func earlier(_ left: Deadline, _ right: Deadline) -> Deadline {
        guard let a = left.moment, let b = right.moment else { return left.moment == nil ? right : left }
        return Deadline(min(a, b))
    }
}
