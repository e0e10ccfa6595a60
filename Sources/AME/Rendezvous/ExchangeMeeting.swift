import DLP

/// A meeting place of ranks that can already communicate in another way.
struct ExchangeMeeting: MeetingPlace {
    let rank: Int
    let size: Int
    let isOneHost = false
    /// Gives rank 0's text to every rank.
    let share: (String?) throws(CommunicationError) -> String

    mutating func exchange(_ contact: RootContact?) throws(CommunicationError) -> RootContact {
        try RootContact(left: share(contact?.text))
    }
}
