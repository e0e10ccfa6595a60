import CSystem
import DLP

/// Finds hosts that died or were cut off while they owed an acknowledgement.
///
/// Keepalive, which the system does by itself, finds them on a connection that is idle; where data is under way the
/// system would go on for a quarter of an hour. `TCP_USER_TIMEOUT` is no remedy: it also ends the connection of a
/// peer that lives but computes for long without reading.
struct Liveness {
    /// How long a host may owe an acknowledgement.
    private static let patience: UInt32 = 30_000
    private static let interval: UInt64 = 10_000_000_000

    /// What to say of a host that owed an acknowledgement for too long.
    static let reason = "its host does not answer"

    /// When to look next.
    private(set) var nextCheck = Deadline.after(interval)

    /// Whether it is time to look, which it is every few seconds.
    mutating func isDue() -> Bool {
        guard nextCheck.hasPassed else { return false }
        nextCheck = .after(Self.interval)
        return true
    }

    /// Whether the host behind a TCP socket has owed an acknowledgement for too long.
    static func isLost(_ descriptor: Int32) -> Bool { dlp_tcp_is_silent(descriptor, patience) == 1 }
}
