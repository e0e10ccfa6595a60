/// A line of the PMI-1 protocol: words of the form `key=value`, in any order.
struct PMI1Line {
    /// How long a line may be.
    static let longest = 4096

    private let fields: [String: String]

    /// Reads a line without its newline; nil where it is not one of the protocol.
    ///
    /// A value runs to the next blank, and may have equals signs of its own. Of two fields with the same key the first
    /// counts.
    init?(_ bytes: some Collection<UInt8>) {
        guard bytes.count <= Self.longest else { return nil }
        let words = String(decoding: bytes, as: UTF8.self).split(separator: " ")
        let pairs = words.compactMap { word -> (String, String)? in
            let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            return parts.count == 2 ? (String(parts[0]), String(parts[1])) : nil
        }
        fields = Dictionary(pairs) { first, _ in first }
        guard fields["cmd"] != nil else { return nil }
    }

    /// The value of a key.
    subscript(key: String) -> String? { fields[key] }

    /// What the line is: an answer's name.
    var command: String { fields["cmd"] ?? "" }

    /// A number that is not negative; nil where the key has none.
    func number(_ key: String) -> Int? { fields[key].flatMap { UInt32($0) }.map { Int($0) } }
}
