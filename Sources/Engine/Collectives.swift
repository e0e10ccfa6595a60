public import Codec
import SystemSupport

/// The operations that all ranks take part in.
enum Collective: Int64 {
    case broadcast = 1
    case gather = 2
    case barrier = 3
    case release = 4
    case agreement = 5

    /// The collective that a message belongs to.
    init?(of message: Message) { self.init(rawValue: message.extra & 0xFF) }

    /// Where the sender's script calls it, as it stands behind a name.
    static func place(of message: Message) -> String {
        let line = message.extra >> 8
        return line > 0 ? " (line \(line))" : ""
    }

    var name: String {
        switch self {
        case .broadcast: "bcast"
        case .gather: "gather"
        case .barrier, .release: "barrier"
        case .agreement: "the agreement on the job"
        }
    }
}

extension Fault {
    /// A rank waits in the collective of a message of its own, but `other` has finished its script.
    static func absence(of other: Int, missedBy rank: Int, in message: Message) -> Fault {
        guard Collective(of: message) == .agreement else {
            return Fault(
                phase: .communication,
                message:
                    "rank \(rank) waits for rank \(other) in a collective\(Collective.place(of: message)), but that has "
                    + "finished its script",
                rank: rank, host: HostName.current)
        }
        return Fault(
            phase: .communication,
            message:
                "rank \(rank) has a function work, but rank \(other) has finished its script without one: all ranks "
                + "must define the same functions",
            rank: rank, host: HostName.current, status: 2)
    }
}

extension Port {
    /// Gives the bytes of rank `root` to every rank.
    ///
    /// They travel by way of rank 0, the only one that is connected with all.
    public func broadcast(_ bytes: Bytes, root: Int = 0) throws(JobEnd) -> Bytes {
        let number = nextCollective()
        var bytes = bytes
        if rank == root {
            if rank != 0 {
                try post(message(.broadcast, number, bytes, of: root), to: 0)
                return bytes
            }
        } else {
            bytes = try require(.broadcast, number, of: root, from: rank == 0 ? root : 0).body
        }
        guard rank == 0 else { return bytes }
        let message = message(.broadcast, number, bytes, of: root)
        if root == 0 {
            try postToAll(message)
        } else {
            for other in 1..<max(size, 1) where other != root { try post(message, to: other) }
        }
        return bytes
    }

    /// Brings the bytes of all ranks to the root, by rank; nil on the others.
    public func gather(_ bytes: Bytes) throws(JobEnd) -> [Bytes]? {
        let number = nextCollective()
        if rank != 0 {
            try post(message(.gather, number, bytes), to: 0)
            return nil
        }
        var all = [bytes]
        for other in 1..<max(size, 1) { all.append(try require(.gather, number, from: other).body) }
        return all
    }

    /// Returns once every rank has called it that there is.
    public func barrier() throws(JobEnd) {
        let number = nextCollective()
        if rank != 0 {
            try post(message(.barrier, number, .empty), to: 0)
            _ = try require(.release, number, from: 0)
        } else {
            for other in 1..<max(size, 1) { _ = try expect(.barrier, number, from: other) }
            try postToAll(message(.release, number, .empty))
        }
    }

    /// Shows the root what every rank says of itself, and tells all ranks what follows.
    ///
    /// - Parameters:
    ///   - statement: what this rank says.
    ///   - judge: called on the root with what the ranks say, by rank; what it returns is for all.
    public func agree(
        _ statement: Bytes, judge: ([Bytes]) throws(JobEnd) -> Bytes
    ) throws(JobEnd) -> Bytes {
        let number = nextCollective()
        if rank != 0 {
            try post(message(.agreement, number, statement), to: 0)
            return try require(.agreement, number, from: 0).body
        }
        var all = [statement]
        for other in 1..<max(size, 1) { all.append(try require(.agreement, number, from: other).body) }
        let answer = try judge(all)
        try postToAll(message(.agreement, number, answer))
        return answer
    }

    private func nextCollective() -> UInt64 {
        collectives += 1
        return collectives
    }

    /// The message of a collective, which for a broadcast names the rank that the bytes come from.
    private func message(_ collective: Collective, _ number: UInt64, _ body: Bytes, of root: Int = 0) -> Message {
        Message(.collective, operation: number, first: root, extra: collective.rawValue | Int64(line) << 8, body: body)
    }

    /// As `expect`, where what `source` has is needed, whatever has become of it.
    private func require(
        _ collective: Collective, _ number: UInt64, of root: Int = 0, from source: Int
    ) throws(JobEnd) -> Message {
        if let message = try expect(collective, number, of: root, from: source) { return message }
        let place = line > 0 ? " (line \(line))" : ""
        throw .fault(
            Fault(
                phase: .communication,
                message:
                    "\(collective.name)\(place) needs rank \(source), which was lost: after a loss only barrier, loops "
                    + "and bcast from a rank that is there go on",
                rank: rank, host: HostName.current, status: 3))
    }

    /// The next collective message from `source`, which must belong to this very operation; nil where it was lost.
    private func expect(
        _ collective: Collective, _ number: UInt64, of root: Int = 0, from source: Int
    ) throws(JobEnd) -> Message? {
        var announcement = message(collective, number, .empty, of: root)
        announcement.count = 1
        while true {
            guard let message = try self.collective(from: source, announcing: announcement) else { return nil }
            let isSameKind = message.operation == number && Collective(of: message) == collective
            let isSame = isSameKind && message.first == Int64(root)
            if message.count == 0, isSame { return message }
            // A rank that only says what it waits for will get it in its turn, or has got it already.
            if message.count != 0, isSame || message.operation < number { continue }
            let other = (Collective(of: message)?.name ?? "something unknown") + Collective.place(of: message)
            let own = collective.name + Collective.place(of: announcement)
            let difference = isSameKind ? " from rank \(message.first), not \(root)" : ""
            throw .fault(
                Fault(
                    phase: .communication,
                    message: "rank \(rank) is at collective \(number), \(own), but rank \(source) at "
                        + "\(message.operation), \(other)\(difference): all ranks must call the same ones in the same "
                        + "order",
                    rank: rank, host: HostName.current))
        }
    }
}
