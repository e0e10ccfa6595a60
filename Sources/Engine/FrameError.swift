/// Why a frame from a peer cannot be accepted, or one to it cannot be sent.
package enum FrameError: Error, Equatable, CustomStringConvertible {
    case notAFrame
    case version(UInt16)
    case kind(UInt8)
    case flags(UInt8)
    case length(UInt64)
    case memory(Int)
    /// The frame is not encrypted, although the connection is.
    case clear
    /// The frame is encrypted, but is not the peer's next one.
    case forged
    /// The shared memory of the body did not arrive, is not as announced, or could still be changed.
    case shared
    /// There is no free descriptor to receive shared memory.
    case descriptors
    /// The frame cannot be encrypted here.
    case sealing

    /// What the peer did, as a clause that follows its name.
    package var description: String {
        switch self {
        case .notAFrame: "it sent bytes that are not a message"
        case .version(let version): "it sent a message of version \(version), not \(FrameHeader.version)"
        case .kind(let kind): "it sent a message of the unknown kind \(kind)"
        case .flags(let flags): "it sent a message with the unknown flags \(flags)"
        case .length(let length): "it announced a message of \(length) bytes"
        case .clear: "it sent a message that is not encrypted"
        case .forged: "what came from it is not what it sent: somebody on the network has changed it"
        case .shared: "the memory that it shares is not what it said, or cannot be mapped"
        case .descriptors: "no file can be opened here any more, as its large message needs (ulimit -n)"
        case .sealing: "a message to it cannot be encrypted"
        case .memory(let length): "there is not enough memory here for its message of \(length) bytes"
        }
    }
}
