import CSystem
import DLP

/// Receives messages from a socket.
struct FrameReader: ~Copyable {
    private let socket: Socket
    private let sharesMemory: Bool
    private var parser: FrameParser
    /// How many bytes have come so far.
    private(set) var byteCount: UInt64 = 0

    /// A reader of all that comes over a link.
    ///
    /// Bodies may be in shared memory only where they come from the root.
    init(_ link: Link, fromRoot: Bool = true) {
        socket = link.socket
        sharesMemory = link.sharesMemory && fromRoot
        parser = FrameParser(cipher: link.channel?.incoming, sharesMemory: sharesMemory)
    }

    /// The outcome of one attempt.
    enum Reception {
        /// Something came: messages, or part of one.
        case some
        /// There is nothing at present.
        case nothing
        /// Nothing more will come, for this reason: a clause that follows the peer's name.
        case ended(String)
    }

    /// Receives once, through `scratch` or into the body under way, and gives complete messages to `emit`.
    mutating func receive(through scratch: Scratch, emit: (Message) -> Void) -> Reception {
        do throws(FrameError) {
            let isDirect = parser.wantsDirectRead
            let space = isDirect ? try parser.space() : scratch.buffer
            let transfer = try receive(into: space)
            if case .count(let count) = transfer { byteCount += UInt64(count) }
            switch transfer {
            case .count(let count) where isDirect:
                if let message = parser.advance(by: count) { emit(message) }
            case .count(let count):
                try parser.feed(UnsafeRawBufferPointer(rebasing: space[..<count]), emit: emit)
            case .wouldBlock: return .nothing
            case .ended(let reason):
                return .ended(parser.isBetweenMessages ? reason : "\(reason) in the middle of a message")
            }
            return .some
        } catch {
            return .ended(error.description)
        }
    }

    private mutating func receive(
        into space: UnsafeMutableRawBufferPointer
    ) throws(FrameError) -> Socket.Transfer {
        guard sharesMemory else { return socket.receive(into: space) }
        var passed = Int32(dlp_passed_nothing)
        let transfer = socket.receive(into: space, passed: &passed)
        if passed >= 0 { try parser.pass(PassedDescriptor(adopting: passed)) }
        if passed == dlp_passed_in_vain { throw .descriptors }
        return transfer
    }
}

/// Memory to receive into, which any number of connections of one thread share.
final class Scratch {
    /// Enough for what a socket usually holds, and little enough that one peer does not keep the others waiting.
    private static let size = 1 << 18

    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: size, alignment: 16)

    deinit { buffer.deallocate() }
}
