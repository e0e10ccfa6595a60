/// The launcher's part of tunnels: it maps each connection of a host to one of rank 0's host.
struct TunnelRelay {
    /// An end of a connection: a host's number, and the connection's number there.
    struct End: Hashable {
        let host: Int
        let id: Int
    }

    /// A word and its recipient.
    struct Delivery: Equatable {
        let end: End
        let word: TunnelWord
    }

    private struct Connection {
        let end: End
        /// Bytes from that end that rank 0 has not taken, and the reverse.
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

    /// Returns where to send a word from a host, or the answer to it; nil where the connection is gone.
    ///
    /// - Throws: `MessageError` where an agent sends more than it may.
    mutating func pass(_ word: TunnelWord, from end: End) throws(MessageError) -> Delivery? {
        let isRoot = end.host == root
        if word == .open {
            guard !isRoot, ids[end] == nil else { return nil }
            // The limit bounds the cost for this process, whichever programs connect there.
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

    /// Forgets a lost host.
    ///
    /// Returns the other ends of its connections, which must be closed.
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
