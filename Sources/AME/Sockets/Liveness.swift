import CSystem
import DLP

/// Finds a host that died or was cut off, in one direction or both, by an acknowledgement that it owes.
///
/// Keepalive, which the system does by itself, finds it within 20 seconds on a connection that is idle; where data is
/// under way the system would go on for a quarter of an hour. `TCP_USER_TIMEOUT` is no remedy: it also ends the
/// connection of a peer that lives but computes for long without reading. Data that comes from the other host proves
/// nothing either: where only one direction is cut, or only large packets vanish, it still sends, but acknowledges
/// nothing.
struct Liveness {
    /// How long a host may owe an acknowledgement, in nanoseconds; with the pauses between two looks less than 30 seconds.
    private static let patience: UInt64 = 24_000_000_000
    private static let interval: UInt64 = 1_000_000_000

    /// The reason for a host that owed an acknowledgement for too long.
    static let reason = "its host does not answer"

    /// When to look next.
    private(set) var nextCheck = Deadline.after(interval)

    /// Whether it is time to look, which it is once a second.
    mutating func isDue() -> Bool {
        guard nextCheck.hasPassed else { return false }
        nextCheck = .after(Self.interval)
        return true
    }

    /// What the host behind one TCP socket owes.
    struct Debt {
        /// How many bytes it had acknowledged when it began to owe, or when it last acknowledged some, and when that
        /// was.
        private var acknowledged: UInt64 = 0
        private var since: UInt64?

        /// Whether it has owed an acknowledgement for too long; to be asked at each check.
        mutating func isOverdue(_ descriptor: Int32) -> Bool {
            isOverdue(dlp_tcp_owed(descriptor), at: dlp_now())
        }

        /// The same for what the system says, at a time in nanoseconds.
        mutating func isOverdue(_ owed: dlp_owed, at now: UInt64) -> Bool {
            guard owed.tries > 0 else {
                since = nil
                return false
            }
            if since == nil || owed.acknowledged != acknowledged { since = now }
            acknowledged = owed.acknowledged
            // Two attempts rule out that an acknowledgement is merely on its way.
            guard owed.tries >= 2, let since else { return false }
            return now - since >= Liveness.patience || UInt64(owed.silence) * 1_000_000 >= Liveness.patience
        }
    }
}
