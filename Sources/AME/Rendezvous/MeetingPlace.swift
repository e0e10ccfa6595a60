import DLP

/// Where the ranks of a job meet before they are connected: what their launcher offers for it.
protocol MeetingPlace {
    /// This rank, from 0.
    var rank: Int { get }
    /// How many ranks the job has.
    var size: Int { get }
    /// Whether all ranks are known to be on one host.
    var isOneHost: Bool { get }

    /// Gives rank 0's card to every rank, and leaves.
    ///
    /// - Parameter card: rank 0's own, nil on every other rank.
    /// - Throws: `CommunicationError` where that fails, or the ranks do not all come in time.
    func exchange(_ card: Card?) throws(CommunicationError) -> Card
}
