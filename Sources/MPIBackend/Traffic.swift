import CMPI
import CSystem
import DLP
import Glibc

/// What is under way between this rank and the others, in both directions.
///
/// Nothing here blocks: `progress` looks at everything once.
final class Traffic {
    /// Messages that are complete, and the places of those that are not.
    var arrivals = ArrivalOrder()
    /// How to wait for more.
    var backoff = Backoff()

    private let calls: MPICalls
    private let limits: BodyLimits
    private let bells: Bells
    private var sendings: [Sending] = []
    private var transfers: [Transfer] = []
    /// How many messages to this rank have been found; it wraps.
    private(set) var foundCount: UInt32 = 0
    /// A packet that was found and is still being received, into `space`.
    private var packet: IncomingPacket?
    private let space: UnsafeMutableRawBufferPointer

    /// One MPI message or broadcast on its way out, whose memory must stay until it is sent.
    private struct Sending {
        let bytes: Bytes
        /// The rank that it goes to; nil for a broadcast.
        let destination: Int?
        var request: dlp_mpi_request
    }

    private struct IncomingPacket {
        let source: Int
        let count: Int
        var request: dlp_mpi_request
    }

    /// How many packets are taken in before other work gets its turn.
    private static let batch = 256

    init(_ calls: MPICalls, _ limits: BodyLimits, _ bells: Bells) {
        self.calls = calls
        self.limits = limits
        self.bells = bells
        space = .allocate(byteCount: limits.packet, alignment: 16)
    }

    deinit { space.deallocate() }

    /// Whether all that was given to send has been sent.
    var isSent: Bool { sendings.isEmpty }

    /// Whether anything at all is under way.
    var isBusy: Bool { !sendings.isEmpty || !transfers.isEmpty || packet != nil }

    /// Begins to send a message to each of some ranks.
    func send(_ message: Message, to destinations: Range<Int>) throws(CommunicationError) {
        let isSmall = message.body.count <= limits.inside
        try sendPacket(message, isSmall ? .inside : .pieces, to: destinations)
        if !isSmall {
            for destination in destinations {
                for range in pieces(of: message.body) {
                    try begin(message.body[range], to: destination, tag: Packet.pieceTag)
                }
            }
        }
        for destination in destinations { bells.announce(to: destination) }
    }

    /// Begins to send a message to every other rank, its body by a broadcast: the cost grows with the logarithm of their
    /// number.
    ///
    /// Each rank takes part when it finds the packet, so one that is not waiting for a broadcast does too.
    func broadcast(_ message: Message, to destinations: Range<Int>) throws(CommunicationError) {
        try sendPacket(message, .broadcast, to: destinations)
        for range in pieces(of: message.body) {
            let bytes = message.body[range]
            try keep(
                bytes, to: nil,
                bytes.withUnsafeBytes { (bytes) throws(CommunicationError) in
                    try calls.broadcast(bytes)
                })
        }
        for destination in destinations { bells.announce(to: destination) }
    }

    private func pieces(of body: Bytes) -> some Sequence<Range<Int>> {
        backoff.began(transferOf: body.count)
        return Packet.pieces(of: body.count, atMost: limits.piece)
    }

    private func sendPacket(
        _ message: Message, _ way: Packet.BodyWay, to destinations: Range<Int>
    ) throws(CommunicationError) {
        var writer = ByteWriter(capacity: FrameHeader.length + (way == .inside ? message.body.count : 0))
        Packet.write(message, way, to: &writer)
        let packet = writer.finish()
        for destination in destinations { try begin(packet, to: destination, tag: Packet.tag) }
    }

    private func begin(_ bytes: Bytes, to destination: Int, tag: Int32) throws(CommunicationError) {
        let request = try bytes.withUnsafeBytes { (bytes) throws(CommunicationError) in
            try calls.send(bytes, to: destination, tag: tag)
        }
        try keep(bytes, to: destination, request)
    }

    private func keep(
        _ bytes: Bytes, to destination: Int?, _ request: dlp_mpi_request
    ) throws(CommunicationError) {
        var request = request
        guard try !calls.isDone(&request) else { return }
        sendings.append(Sending(bytes: bytes, destination: destination, request: request))
    }

    /// Looks once at all that is under way, and for what is new; false where nothing has changed.
    func progress() throws(CommunicationError) -> Bool {
        let before = (sendings.count, transfers.count)
        try sendings.removeDone { (sending) throws(CommunicationError) in
            guard try calls.isDone(&sending.request) else { return false }
            // The library may not have been able to send it before.
            if let destination = sending.destination { bells.ring(destination) }
            return true
        }
        try transfers.removeDone { (transfer) throws(CommunicationError) in
            guard let message = try transfer.advance(through: calls) else { return false }
            arrivals.finish(transfer.place, message)
            return true
        }
        let isAnythingDone = before != (sendings.count, transfers.count)
        return try receivePackets() || isAnythingDone
    }

    private func receivePackets() throws(CommunicationError) -> Bool {
        for taken in 0..<Self.batch {
            if packet == nil { packet = try findPacket() }
            guard var found = packet else { return taken > 0 }
            guard try calls.isDone(&found.request) else { return taken > 0 }
            packet = nil
            foundCount &+= 1
            try take(UnsafeRawBufferPointer(rebasing: space[..<found.count]), from: found.source)
        }
        return true
    }

    private func findPacket() throws(CommunicationError) -> IncomingPacket? {
        guard let message = try calls.probe(tag: Packet.tag) else { return nil }
        let (source, count) = (Int(message.source), Int(message.byte_count))
        guard count <= space.count, let base = space.baseAddress else {
            throw foreign(FrameError.length(UInt64(count)), from: source)
        }
        return IncomingPacket(source: source, count: count, request: try calls.receive(message, into: base))
    }

    private func take(_ packet: UnsafeRawBufferPointer, from source: Int) throws(CommunicationError) {
        let (header, way): (FrameHeader, Packet.BodyWay)
        do throws(FrameError) { (header, way) = try Packet.read(packet) } catch { throw foreign(error, from: source) }
        guard way != .inside else {
            let body = UnsafeRawBufferPointer(rebasing: packet.dropFirst(FrameHeader.length))
            return arrivals.append(header.message(body: body.isEmpty ? .empty : Bytes(copying: body)), from: source)
        }
        let place = arrivals.begin(from: source)
        transfers.append(try Transfer(header, way, from: source, at: place, limits: limits, through: calls))
        backoff.began(transferOf: header.bodyLength)
    }

    private func foreign(_ error: FrameError, from source: Int) -> CommunicationError {
        CommunicationError("rank \(source) cannot be understood: \(error); is the same dlp-lua started on every rank?")
    }
}

extension Array {
    /// Removes the elements of which `isDone` is true; it may change them.
    fileprivate mutating func removeDone<Failure: Error>(
        _ isDone: (inout Element) throws(Failure) -> Bool
    ) throws(Failure) {
        var kept = 0
        for index in indices where try !isDone(&self[index]) {
            swapAt(kept, index)
            kept += 1
        }
        removeLast(count - kept)
    }
}
