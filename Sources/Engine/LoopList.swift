public import Codec

/// What a rank knows of the elements of a loop that its script begins.
///
/// The root's elements are used. A rank that has others is sent the root's before it is given any work.
public struct LoopList: Sendable {
    /// What the elements come from.
    public enum Kind: Int64, Sendable {
        /// A number n, for 1 to n.
        case number
        /// A list.
        case list
        /// An iterator, of which each rank has a copy.
        case iterator
    }

    /// What the elements come from.
    public var kind: Kind
    /// The digest of a list's elements, where they have one.
    public var digest: Digest?
    /// On the root: the list as one encoded value; empty where it cannot be sent.
    public var encoded: Bytes
    /// Where in the script the loop begins, for messages.
    public var place: String

    /// A list.
    public init(_ kind: Kind, digest: Digest? = nil, encoded: Bytes = .empty, place: String) {
        self.kind = kind
        self.digest = digest
        self.encoded = encoded
        self.place = place
    }
}
