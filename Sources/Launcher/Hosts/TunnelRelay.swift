/// The launcher's part of tunnels: which connection of a host is which one of rank 0's host.
struct TunnelRelay {
    /// An end of a connection: a host's number, and the connection's number there.
    struct End: Hashable {
        let host: Int
        let id: Int
    }

    /// A word, and who is to hear it.
    struct Delivery: Equatable {
        let end: End
        let word: TunnelWord
    }

    private struct Connection {
        let end: End
        /// Bytes from there that rank 0 has not taken, and the other way round.
        var fromEnd = 0
        var fromRoot = 0
    }

    /// The host of rank 0.
    private let root: Int
    /// How many connections each host may have at a time.
    private let limits: [Int]
    private var connections: [Int: Connection] = [:]
    private var ids: [End: Int] = [:]
    private var counts: [Int]
    private var nextID = 0

    init(root: Int, limits: [Int]) {
        self.root = root
        self.limits = limits
        counts = Array(repeating: 0, count: limits.count)
    }

    /// Where a word goes that a host has said, or the answer to it; nil where nobody wants it any more.
    ///
    /// - Throws: `MessageError` where an agent sends more than it may.
    mutating func pass(_ word: TunnelWord, from end: End) throws(MessageError) -> Delivery? {
        let isRoot = end.host == root
        if word == .open {
            guard !isRoot, ids[end] == nil else { return nil }
            // Whoever connects there, ranks or others, does not cost this process more than that.
            guard counts[end.host] < limits[end.host] else { return Delivery(end: end, word: .close) }
            counts[end.host] += 1
            ids[end] = nextID
            connections[nextID] = Connection(end: end)
            nextID += 1
        }
        guard let id = isRoot ? end.id : ids[end], var connection = connections[id] else { return nil }
        let (sent, taken) =
            isRoot ? (\Connection.fromRoot, \Connection.fromEnd) : (\Connection.fromEnd, \Connection.fromRoot)
        switch word {
        case .data(let bytes):
            connection[keyPath: sent] += bytes.count
            guard connection[keyPath: sent] <= AgentRules.window else { throw MessageError() }
        case .credit(let count): connection[keyPath: taken] = max(0, connection[keyPath: taken] - count)
        case .open, .close: break
        }
        connections[id] = connection
        if word == .close { forget(connection.end) }
        return Delivery(end: isRoot ? connection.end : End(host: root, id: id), word: word)
    }

    /// A host is lost: the other ends of its connections, which are to be closed.
    mutating func lose(host: Int) -> [End] {
        let lost = ids.filter { $0.key.host == host }
        for end in lost.keys { forget(end) }
        return lost.values.sorted().map { End(host: root, id: $0) }
    }

    private mutating func forget(_ end: End) {
        guard let id = ids.removeValue(forKey: end) else { return }
        connections[id] = nil
        counts[end.host] -= 1
    }
}
