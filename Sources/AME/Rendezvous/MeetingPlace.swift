import DLP

/// Where the ranks of a job meet before they are connected, by what their launcher offers.
protocol MeetingPlace {
    /// This rank, from 0.
    var rank: Int { get }
    /// How many ranks the job has.
    var size: Int { get }
    /// Whether all ranks are known to be on one host.
    var isOneHost: Bool { get }
    /// The file that says where rank 0 is, after `exchange`; nil where none does.
    var contactFile: RootContactFile? { get }

    /// Gives rank 0's contact to every rank, and leaves the meeting place.
    ///
    /// - Parameter contact: rank 0's own, nil on every other rank.
    /// - Throws: `CommunicationError` where that fails, or the ranks do not all come in time.
    mutating func exchange(_ contact: RootContact?) throws(CommunicationError) -> RootContact
}

extension MeetingPlace {
    /// None: launchers that keep the contact themselves have no file.
    var contactFile: RootContactFile? { nil }
}

/// Checks what a launcher said.
///
/// - Throws: `CommunicationError` where there is no such rank in a job of that size.
func checkPlace(rank: Int, size: Int) throws(CommunicationError) {
    guard size > 0, size <= Int32.max, (0..<size).contains(rank) else {
        throw CommunicationError(
            "the launcher says that this is rank \(rank) of \(size), which cannot be: use another launcher")
    }
}

/// The message where a launcher's own meeting point still waits for ranks when the time is up.
func missingRanks(of size: Int, within limit: TimeLimit) -> String {
    "not all of the \(size) ranks came to the launcher's meeting point within \(limit): see whether one of them failed, "
        + "or give them more time with --connect-timeout"
}

extension RootContact {
    /// The contact that rank 0 left at a launcher's meeting point.
    ///
    /// - Throws: `CommunicationError` where it left something else there.
    init(left text: String) throws(CommunicationError) {
        guard let contact = RootContact(text: text) else {
            throw CommunicationError(
                "what rank 0 left at the launcher's meeting point is not what this program leaves there: start the same "
                    + "dlp-lua on every rank")
        }
        self = contact
    }
}
