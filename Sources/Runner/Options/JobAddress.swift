/// An address at which a job can be joined.
public struct JobAddress: Equatable, Sendable {
    /// The name or address of the root's host; nil: any.
    public var host: String?
    /// The TCP port; 0: the system chooses one.
    public var port: UInt16

    /// Parses PORT, HOST:PORT, or [HOST]:PORT for a HOST with colons.
    public init?(_ text: String) {
        let colon = text.lastIndex(of: ":")
        let digits = colon.map { text[text.index(after: $0)...] } ?? text[...]
        guard !digits.isEmpty, digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let port = UInt16(digits) else {
            return nil
        }
        self.port = port
        guard let colon else { return }
        var host = text[..<colon]
        if host.hasPrefix("["), host.hasSuffix("]") {
            host = host.dropFirst().dropLast()
        } else if host.contains(":") {
            return nil
        }
        guard !host.isEmpty else { return nil }
        self.host = String(host)
    }

    /// As the command line spells it.
    var text: String {
        guard let host else { return "\(port)" }
        return host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
    }
}
