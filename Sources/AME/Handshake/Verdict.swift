/// The root's answer to a worker that has proved the key, or has not.
///
///     0  code   1  3 bytes reserved   4  detail (4 bytes)   8  8 bytes reserved   16  authentication code
enum Verdict: Equatable {
    case accepted
    case refused(Refusal)

    /// Why a worker is refused.
    enum Refusal: Equatable {
        /// The root's job has another size, namely this one.
        case sizeDiffers(UInt32)
        case rankOutOfRange
        case rankTaken
        /// The root wants what follows encrypted and the worker takes no part in that, or the other way round.
        case encryptionDiffers(rootEncrypts: Bool)
        /// The worker's proof is not made with the root's key; the only verdict without a code.
        case keyDiffers
        /// The worker wants to come back, but is not awaited.
        case notAwaited
    }

    /// How long a verdict is without its authentication code.
    static let length = 16

    /// The verdict as it goes over the wire, without its authentication code.
    var bytes: [UInt8] {
        let (code, detail): (UInt8, UInt32) =
            switch self {
            case .accepted: (0, 0)
            case .refused(.sizeDiffers(let size)): (1, size)
            case .refused(.rankOutOfRange): (2, 0)
            case .refused(.rankTaken): (3, 0)
            case .refused(.encryptionDiffers(let rootEncrypts)): (4, rootEncrypts ? 1 : 0)
            case .refused(.keyDiffers): (5, 0)
            case .refused(.notAwaited): (6, 0)
            }
        return [code, 0, 0, 0] + detail.littleEndianBytes + [UInt8](repeating: 0, count: 8)
    }

    /// Reads a verdict; nil where this version does not know it.
    init?(reading bytes: [UInt8]) {
        switch bytes[0] {
        case 0: self = .accepted
        case 1: self = .refused(.sizeDiffers(UInt32(littleEndianBytes: bytes[4..<8])))
        case 2: self = .refused(.rankOutOfRange)
        case 3: self = .refused(.rankTaken)
        case 4: self = .refused(.encryptionDiffers(rootEncrypts: bytes[4] != 0))
        case 5: self = .refused(.keyDiffers)
        case 6: self = .refused(.notAwaited)
        default: return nil
        }
    }
}
