import CPMIx
import DLP
import Glibc

/// The meeting point of a launcher that has PMIx: Open MPI's mpiexec, and Slurm's plugin pmix.
///
/// A process may begin only one session in its life, so the whole session takes place at the beginning.
struct PMIxClient: MeetingPlace {
    /// The key under which rank 0's contact is published.
    private static let contactKey = "dlp-root"

    let rank: Int
    let size: Int
    let isOneHost: Bool

    private let limit: TimeLimit

    /// Begins the session; `obstacle` must be nil.
    ///
    /// - Throws: `CommunicationError` where there is no launcher that serves it.
    init(within limit: TimeLimit) throws(CommunicationError) {
        self.limit = limit
        var place = dlp_pmix_place()
        try Self.check(dlp_pmix_begin(&place), "Init")
        try checkPlace(rank: Int(place.rank), size: Int(place.size))
        rank = Int(place.rank)
        size = Int(place.size)
        isOneHost = place.local_size == place.size
    }

    /// Why PMIx cannot be used at all; nil where it can.
    ///
    /// Opens the library, which takes a millisecond.
    static func obstacle() -> String? {
        guard let reason = dlp_pmix_open() else { return nil }
        return "PMIx cannot be used: \(String(cString: reason))"
    }

    func exchange(_ contact: RootContact?) throws(CommunicationError) -> RootContact {
        if let contact { try Self.check(dlp_pmix_publish(Self.contactKey, contact.text), "Put") }
        let code = dlp_pmix_fence(limit.deadline.milliseconds)
        guard code != ETIME else { throw CommunicationError(missingRanks(of: size, within: limit)) }
        try Self.check(code, "Fence")
        var text = [CChar](repeating: 0, count: RootContact.longest + 1)
        let seconds = max(1, limit.deadline.milliseconds / 1000)
        try Self.check(dlp_pmix_look_up(Self.contactKey, 0, seconds, &text, text.count), "Get")
        try Self.check(dlp_pmix_end(), "Finalize")
        return try RootContact(
            left: String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self))
    }

    private static func check(_ code: Int32, _ function: String) throws(CommunicationError) {
        guard code != 0 else { return }
        throw CommunicationError(
            "the launcher's PMIx server does not let the ranks meet (\(function): "
                + "\(String(cString: dlp_pmix_message(code)))): see the launcher's own messages, or use another launcher"
        )
    }
}
