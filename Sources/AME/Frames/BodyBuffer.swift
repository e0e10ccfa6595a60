import CSystem
import DLP
import Glibc

/// A message's body while it arrives.
///
/// Its memory is asked for at once, so that it need not move, and nevertheless grows with what came, not with what was
/// announced: the system gives pages to those that are written.
struct BodyBuffer: ~Copyable {
    private var base: UnsafeMutableRawPointer?
    private var filled = 0
    private var length = 0

    /// Nothing under way.
    init() {}

    deinit { dlp_free(base, length) }

    /// How many bytes are still to come.
    var missing: Int { length - filled }

    /// Prepares for a body of `length` bytes.
    mutating func begin(length: Int) { self.length = length }

    /// Memory for all that is missing.
    ///
    /// - Throws: `FrameError.memory` where there is none.
    mutating func space() throws(FrameError) -> UnsafeMutableRawBufferPointer {
        if base == nil, length > 0 {
            base = dlp_realloc(nil, length)
            guard base != nil else { throw .memory(length) }
        }
        return UnsafeMutableRawBufferPointer(start: base.map { $0 + filled }, count: missing)
    }

    /// Counts `count` bytes that were written into `space`.
    mutating func advance(by count: Int) { filled += count }

    /// Copies as much of `bytes` as belongs to this body, and returns how much that was.
    mutating func append(_ bytes: UnsafeRawBufferPointer) throws(FrameError) -> Int {
        let count = min(bytes.count, missing)
        guard count > 0 else { return 0 }
        try space().copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[..<count]))
        advance(by: count)
        return count
    }

    /// Copies all of `bytes`, which must be no more than are missing.
    mutating func append(contentsOf bytes: some Sequence<UInt8>) throws(FrameError) {
        let taken = bytes.withContiguousStorageIfAvailable { bytes in
            Result { () throws(FrameError) in try append(UnsafeRawBufferPointer(bytes)) }
        }
        guard let taken else { return try append(contentsOf: Array(bytes)) }
        _ = try taken.get()
    }

    /// The complete body, without a copy; nothing is under way afterwards.
    mutating func take() -> Bytes {
        let bytes = length == 0 ? Bytes.empty : Bytes(adopting: base, count: length)
        base = nil
        filled = 0
        length = 0
        return bytes
    }
}
