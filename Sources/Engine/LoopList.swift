public import Codec

/// What a rank knows of the elements of a loop that its script begins.
///
/// Those of the root count. A rank that has others is sent them before it is given any to do.
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
    /// Of a list's elements, where they have one.
    public var digest: Digest?
    /// The list as one encoded value, on the root, where it can be sent.
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
