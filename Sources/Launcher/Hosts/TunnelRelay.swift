/// The launcher's part of tunnels: which connection of a host is which one of rank 0's host.
struct TunnelRelay {
    /// An end of a connection: a host's number, and the connection's number there.
    struct End: Hashable {
        let host: Int
        let id: Int
    }

    /// The host of rank 0.
    private let root: Int
    private var ends: [Int: End] = [:]
    private var ids: [End: Int] = [:]
    private var nextID = 0

    init(root: Int) { self.root = root }

    /// Where a word goes that a host has said; nil where nobody wants it any more.
    mutating func pass(_ word: TunnelWord, from end: End) -> End? {
        if end.host == root {
            guard word != .open, let other = ends[end.id] else { return nil }
            if word == .close { forget(other) }
            return other
        }
        if word == .open {
            guard ids[end] == nil else { return nil }
            ids[end] = nextID
            ends[nextID] = end
            nextID += 1
        }
        guard let id = ids[end] else { return nil }
        if word == .close { forget(end) }
        return End(host: root, id: id)
    }

    /// A host is lost: the other ends of its connections, which are to be closed.
    mutating func lose(host: Int) -> [End] {
        let lost = ids.filter { $0.key.host == host }
        for end in lost.keys { forget(end) }
        return lost.values.sorted().map { End(host: root, id: $0) }
    }

    private mutating func forget(_ end: End) {
        if let id = ids.removeValue(forKey: end) { ends[id] = nil }
    }
}
