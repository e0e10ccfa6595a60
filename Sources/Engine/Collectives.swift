public import Codec
import SystemSupport

extension Collective {
    /// The collective's name in messages: the script's function, where there is one.
    var name: String {
        switch self {
        case .broadcast: "bcast"
        case .gather: "gather"
        case .barrier, .release: "barrier"
        case .agreement: "the agreement on the job"
        }
    }
}

extension CollectiveMessage {
    /// The line of the script where the sender makes the call, as text to follow a name; empty where it is unknown.
    fileprivate var place: String { line > 0 ? " (line \(line))" : "" }

    /// A copy without bytes, which only says that its rank waits.
    fileprivate var announcement: CollectiveMessage {
        var message = self
        (message.isAnnouncement, message.bytes) = (true, .empty)
        return message
    }
}

extension Fault {
    /// The fault where `rank` waits for rank `other` in the collective of `message`, but `other` has finished its
    /// script.
    static func absence(of other: Int, missedBy rank: Int, in message: CollectiveMessage) -> Fault {
        guard message.operation == .agreement else {
            return Fault(
                phase: .communication,
                message:
                    "rank \(rank) waits for rank \(other) in a collective\(message.place), but that has finished its "
                    + "script",
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

extension RankClient {
    /// Gives the bytes of rank 0 to every rank.
    public func broadcast(_ bytes: Bytes) throws(JobEnd) -> Bytes { try broadcast(bytes, root: 0) }

    /// Begins the next collective, and returns this rank's part of it.
    fileprivate func begin(_ operation: Collective, _ bytes: Bytes = .empty, of root: Int = 0) -> CollectiveMessage {
        collectives += 1
        return CollectiveMessage(number: collectives, operation: operation, line: line, root: root, bytes: bytes)
    }

    /// Like `expect`, but returns the bytes, and throws where `source` was lost.
    fileprivate func require(_ own: CollectiveMessage, from source: Int) throws(JobEnd) -> Bytes {
        if let message = try expect(own, from: source) { return message.bytes }
        throw .fault(
            Fault(
                phase: .communication,
                message:
                    "\(own.operation.name)\(own.place) needs rank \(source), which was lost: after a loss only barrier, "
                    + "loops and bcast from a rank that is there go on",
                rank: rank, host: HostName.current, status: 3))
    }

    /// Returns the next collective message from `source`; nil where `source` was lost.
    ///
    /// - Throws: `JobEnd` where the message does not belong to the same operation as `own`, this rank's part.
    fileprivate func expect(_ own: CollectiveMessage, from source: Int) throws(JobEnd) -> CollectiveMessage? {
        while true {
            guard let message = try collective(from: source, announcing: own.announcement) else { return nil }
            let isSameOperation = message.number == own.number && message.operation == own.operation
            let isSame = isSameOperation && message.root == own.root
            if !message.isAnnouncement, isSame { return message }
            // An announcement only says what the rank waits for: it will get that in its turn, or has got it already.
            if message.isAnnouncement, isSame || message.number < own.number { continue }
            let difference = isSameOperation ? " from rank \(message.root), not \(own.root)" : ""
            throw .fault(
                Fault(
                    phase: .communication,
                    message: "rank \(rank) is at collective \(own.number), \(own.operation.name)\(own.place), but rank "
                        + "\(source) at \(message.number), \(message.operation.name)\(message.place)\(difference): all "
                        + "ranks must call the same ones in the same order",
                    rank: rank, host: HostName.current))
        }
    }
}

// Only the root is connected with all ranks, so all data between ranks goes through it.

extension RootClient {
    /// Gives the bytes of rank `root` to every rank.
    public func broadcast(_ bytes: Bytes, root: Int) throws(JobEnd) -> Bytes {
        var message = begin(.broadcast, bytes, of: root)
        if root != 0 { message.bytes = try require(message, from: root) }
        send(message, exceptTo: root)
        return message.bytes
    }

    /// Brings the bytes of all ranks to the root, by rank.
    public func gather(_ bytes: Bytes) throws(JobEnd) -> [Bytes]? { try all(begin(.gather, bytes)) }

    /// Returns once every rank that was not lost has called it.
    public func barrier() throws(JobEnd) {
        var message = begin(.barrier)
        for other in 1..<max(size, 1) { _ = try expect(message, from: other) }
        message.operation = .release
        send(message)
    }

    /// Gathers the statements of all ranks, and sends what `judge` makes of them to all ranks.
    public func agree(
        _ statement: Bytes, judge: ([Bytes]) throws(JobEnd) -> Bytes
    ) throws(JobEnd) -> Bytes {
        var message = begin(.agreement, statement)
        message.bytes = try judge(try all(message))
        send(message)
        return message.bytes
    }

    /// Returns the bytes of every rank for a collective, by rank; throws where a rank was lost.
    private func all(_ own: CollectiveMessage) throws(JobEnd) -> [Bytes] {
        var all = [own.bytes]
        for other in 1..<max(size, 1) { all.append(try require(own, from: other)) }
        return all
    }
}

extension WorkerClient {
    /// Gives the bytes of rank `root` to every rank.
    public func broadcast(_ bytes: Bytes, root: Int) throws(JobEnd) -> Bytes {
        let message = begin(.broadcast, rank == root ? bytes : .empty, of: root)
        guard rank == root else { return try require(message, from: 0) }
        try post(.collective(message))
        return bytes
    }

    /// Brings the bytes of all ranks to the root; nil here.
    public func gather(_ bytes: Bytes) throws(JobEnd) -> [Bytes]? {
        try post(.collective(begin(.gather, bytes)))
        return nil
    }

    /// Returns once every rank that was not lost has called it.
    public func barrier() throws(JobEnd) {
        var message = begin(.barrier)
        try post(.collective(message))
        message.operation = .release
        _ = try require(message, from: 0)
    }

    /// Sends this rank's statement to the root, and returns what the root's `judge` makes of all statements.
    public func agree(
        _ statement: Bytes, judge: ([Bytes]) throws(JobEnd) -> Bytes
    ) throws(JobEnd) -> Bytes {
        let message = begin(.agreement, statement)
        try post(.collective(message))
        return try require(message, from: 0)
    }
}
