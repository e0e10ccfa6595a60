import DLP

/// The connections of the root with its workers: one poller, and what it found.
final class Connections {
    /// What `AMERoot.receive` returns next.
    var deliveries = Queue<Delivery>()
    let waker: EventWaker

    private let poller: Poller
    private var peers: [Peer?]
    /// Peers that were told the end before the others.
    ///
    /// They are kept, because closing a socket while its worker sends would take that message back.
    private var dismissed: [Peer] = []
    /// The hosts of all peers, of lost ones too.
    private var hosts: [String?]
    private var liveness = Liveness()
    private var hasRemotePeers = false
    private let scratch = Scratch()

    private static let wakerToken = UInt64.max
    /// All ranks have smaller tokens.
    static let firstFreeToken: UInt64 = 1 << 32

    /// The connections of `size` ranks, none of which is connected.
    ///
    /// - Throws: `CommunicationError` where the system has no descriptors to give.
    init(size: Int) throws(CommunicationError) {
        peers = Array(repeating: nil, count: size)
        hosts = Array(repeating: nil, count: size)
        waker = try EventWaker()
        poller = try Poller()
        try poller.add(waker.descriptor, token: Self.wakerToken, for: .reading)
    }

    /// Watches a descriptor for another object, for reading; `token` must not be less than `firstFreeToken`.
    func watch(_ descriptor: Int32, token: UInt64) throws(CommunicationError) {
        try poller.add(descriptor, token: token, for: .reading)
    }

    func unwatch(_ descriptor: Int32) { poller.remove(descriptor) }

    /// Adds the worker `rank`, whose socket must not be watched yet.
    func add(_ link: Link, rank: Int) throws(CommunicationError) {
        try poller.add(link.socket.descriptor, token: UInt64(rank), for: .reading)
        while peers.count <= rank {
            peers.append(nil)
            hosts.append(nil)
        }
        peers[rank] = Peer(rank: rank, link: link)
        hosts[rank] = link.socket.peerHost
        if !link.socket.isLocal { hasRemotePeers = true }
    }

    /// Whether a worker can be given memory to share.
    var shareMemory: Bool { peers.contains { $0?.sharesMemory ?? false } }

    /// Whether a worker is connected.
    func isConnected(_ rank: Int) -> Bool { peers.indices.contains(rank) && peers[rank] != nil }

    /// Where a worker is or was.
    func host(of rank: Int) -> String? { hosts[rank] }

    /// How many bytes have come from a worker, 0 where it is lost.
    func byteCount(from rank: Int) -> UInt64 { peers[rank]?.receivedCount ?? 0 }

    /// Sends a message or queues it; does nothing where the worker is lost.
    func send(_ message: Message, to rank: Int) { send(message, to: rank..<rank + 1, shared: nil) }

    /// The same for several workers, of which those of this host share one copy of the body where it is large.
    func send(_ message: Message, to ranks: Range<Int>) {
        let sharing = peers[ranks].count { $0?.sharesMemory ?? false }
        send(message, to: ranks, shared: SharedBody.of(message.body, for: sharing))
    }

    private func send(_ message: Message, to ranks: Range<Int>, shared: SharedBody?) {
        for rank in ranks {
            guard let peer = peers[rank] else { continue }
            peer.send(message, shared: shared)
            watchForWriting(peer)
        }
    }

    /// Waits once, at most until `deadline`, receives and sends what can be, and queues deliveries.
    ///
    /// - Parameter other: gets the tokens given to `watch`.
    func round(
        until deadline: Deadline, other: (UInt64) throws(CommunicationError) -> Void = { _ in }
    ) throws(CommunicationError) {
        let limit = hasRemotePeers ? Deadline.earlier(deadline, liveness.nextCheck) : deadline
        for event in try poller.wait(until: limit) {
            if event.token == Self.wakerToken {
                waker.reset()
                deliveries.append(.woken)
            } else if event.token >= Self.firstFreeToken {
                try other(event.token)
            } else if let peer = peers[Int(event.token)] {
                if event.ready.contains(.writing) {
                    peer.flush()
                    watchForWriting(peer)
                }
                if event.ready.contains(.reading) { receive(from: peer) }
            }
        }
        if hasRemotePeers, liveness.isDue() { dropSilentPeers() }
    }

    private func receive(from peer: Peer) {
        let reception = peer.receive(through: scratch) { deliveries.append(.message($0, from: peer.rank)) }
        if case .ended(let reason) = reception { drop(peer, reason: reason) }
    }

    private func watchForWriting(_ peer: Peer) {
        guard peer.hasUnsent != peer.isWatchedForWriting else { return }
        peer.isWatchedForWriting = peer.hasUnsent
        let interest: Poller.Interest = peer.hasUnsent ? [.reading, .writing] : .reading
        do {
            try poller.change(peer.socket.descriptor, token: UInt64(peer.rank), to: interest)
        } catch { peer.fail(error.description) }
    }

    /// Ends the connection with a worker, if there is one.
    func drop(_ rank: Int) {
        guard let peer = peers[rank] else { return }
        peer.socket.shutDown()
        drop(peer, reason: "the root has ended it")
    }

    /// Sends a worker nothing more, and hears nothing more from it.
    func dismiss(_ rank: Int) {
        guard let peer = peers[rank] else { return }
        peer.flush()
        // Where the last message has not been sent yet, it is sent when the worker has taken what is before it.
        guard !peer.hasUnsent else { return }
        poller.remove(peer.socket.descriptor)
        peer.socket.endSending()
        peers[rank] = nil
        dismissed.append(peer)
    }

    private func drop(_ peer: Peer, reason: String) {
        poller.remove(peer.socket.descriptor)
        peers[peer.rank] = nil
        deliveries.append(.lost(rank: peer.rank, reason: reason))
    }

    private func dropSilentPeers() {
        for case let peer? in peers where !peer.socket.isLocal && peer.isSilent() {
            // What has come from it counts, since it does not send that again.
            while case .some = peer.receive(
                through: scratch, emit: { deliveries.append(.message($0, from: peer.rank)) })
            {}
            peer.socket.giveUp()
            drop(peer, reason: Liveness.reason)
        }
    }

    /// Sends what is queued, waiting at most until `deadline`, and closes every connection.
    func close(until deadline: Deadline) {
        // A worker that has not taken all of it may itself wait for us to receive, so receiving goes on. Data that the
        // system has not handed over yet is waited for as well, because closing a socket that has unread data discards
        // it.
        while !deadline.hasPassed, peers.contains(where: { $0.map { $0.hasUnsent || !$0.socket.isDelivered } ?? false })
        {
            let isQueued = peers.contains { $0?.hasUnsent ?? false }
            let pause = isQueued ? deadline : Deadline.earlier(deadline, .after(1_000_000))
            guard (try? round(until: pause)) != nil else { break }
            deliveries = Queue()
        }
        for peer in peers { peer?.socket.shutDown() }
        dismissed = []
        peers = Array(repeating: nil, count: peers.count)
    }
}
