import CMPI
import CSystem
import DLP
import Glibc

/// A large body on its way in.
///
/// MPI writes to the memory until the last request is done. A transfer that is given up before then leaks it, since the
/// process is about to end.
struct Transfer {
    /// The message's place among those of its rank.
    let place: ArrivalOrder.Place
    private let header: FrameHeader
    private let base: UnsafeMutableRawPointer
    /// The pieces' requests; they are done in order, so only the first that is not is asked about.
    private var requests: [dlp_mpi_request] = []
    private var finished = 0

    /// Begins to receive a body whose header has come.
    ///
    /// - Throws: `CommunicationError` where there is no memory for it, or MPI fails.
    init(
        _ header: FrameHeader, _ way: Packet.BodyWay, from source: Int, at place: ArrivalOrder.Place,
        limits: BodyLimits, through calls: MPICalls
    ) throws(CommunicationError) {
        self.header = header
        self.place = place
        guard let base = dlp_realloc(nil, header.bodyLength) else {
            throw CommunicationError("rank \(source) is at fault: \(FrameError.memory(header.bodyLength))")
        }
        self.base = base
        for range in Packet.pieces(of: header.bodyLength, atMost: limits.piece) {
            let space = UnsafeMutableRawBufferPointer(start: base + range.lowerBound, count: range.count)
            requests.append(
                way == .broadcast
                    ? try calls.broadcast(UnsafeRawBufferPointer(space))
                    : try calls.receive(into: space, from: source, tag: Packet.pieceTag))
        }
    }

    /// Makes progress.
    ///
    /// Returns the message once all of it is there.
    mutating func advance(through calls: MPICalls) throws(CommunicationError) -> Message? {
        while finished < requests.count {
            guard try calls.isDone(&requests[finished]) else { return nil }
            finished += 1
        }
        return header.message(body: Bytes(adopting: base, count: header.bodyLength))
    }
}
