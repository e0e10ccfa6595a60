/// Why what a peer sent is not a frame.
package enum FrameError: Error, Equatable, CustomStringConvertible {
    case notAFrame
    case version(UInt16)
    case kind(UInt8)
    case flags(UInt8)
    case length(UInt64)
    case memory(Int)
    /// It is not encrypted, on a connection that is.
    case clear
    /// It is encrypted, but not by the peer as its next one.
    case forged
    /// The memory of its body did not come with it, is not as announced, or could still be changed.
    case shared
    /// There is no descriptor to take in shared memory by.
    case descriptors
    /// It cannot be encrypted here.
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
