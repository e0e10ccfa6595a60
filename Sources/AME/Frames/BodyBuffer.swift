import CSystem
import DLP
import Glibc

/// A message's body while it arrives: the memory grows with what came, not with what was announced.
struct BodyBuffer: ~Copyable {
    private static let firstCapacity = 1 << 20
    /// The next capacity: as much as `dlp_realloc` may have at hand is asked for at once, so that the body need not
    /// move.
    private static let secondCapacity = dlp_most_spare

    private var base: UnsafeMutableRawPointer?
    private var capacity = 0
    private var filled = 0
    private var length = 0

    /// Nothing under way.
    init() {}

    deinit { dlp_free(base, capacity) }

    /// How many bytes are still to come.
    var missing: Int { length - filled }

    /// Prepares for a body of `length` bytes.
    mutating func begin(length: Int) { self.length = length }

    /// Returns memory for the next bytes: for `count` of those that are missing, but not necessarily for all.
    ///
    /// - Throws: `FrameError.memory` where there is none.
    mutating func space(for count: Int = 1) throws(FrameError) -> UnsafeMutableRawBufferPointer {
        if capacity - filled < min(count, missing) {
            let usual = capacity == 0 ? Self.firstCapacity : max(capacity * 2, Self.secondCapacity)
            let wanted = min(length, max(usual, filled + count))
            guard let grown = dlp_realloc(base, wanted) else { throw .memory(length) }
            base = grown
            capacity = wanted
        }
        return UnsafeMutableRawBufferPointer(start: base.map { $0 + filled }, count: capacity - filled)
    }

    /// Counts `count` bytes that were written into `space`.
    mutating func advance(by count: Int) { filled += count }

    /// Copies as much of `bytes` as belongs to this body, and returns how much that was.
    mutating func append(_ bytes: UnsafeRawBufferPointer) throws(FrameError) -> Int {
        let count = min(bytes.count, missing)
        var copied = 0
        while copied < count {
            let space = try space()
            let part = UnsafeRawBufferPointer(rebasing: bytes[copied..<min(count, copied + space.count)])
            space.copyMemory(from: part)
            advance(by: part.count)
            copied += part.count
        }
        return count
    }

    /// The complete body, without a copy; nothing is under way afterwards.
    mutating func take() -> Bytes {
        let bytes = length == 0 ? Bytes.empty : Bytes(adopting: base, count: length)
        base = nil
        capacity = 0
        filled = 0
        length = 0
        return bytes
    }
}
