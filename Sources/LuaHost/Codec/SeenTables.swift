/// Which tables an encoder has met, and where it wrote them: an open-addressing table keyed by address.
///
/// Emptying it costs nothing: an entry counts only if it bears the present generation.
struct SeenTables {
    private struct Entry {
        var address: UInt
        var generation: UInt32
        var isShared: Bool
        var offset: Int
    }

    private var entries: [Entry]
    private var generation: UInt32 = 1
    private var count = 0

    init() { entries = Array(repeating: Self.unused, count: 64) }

    private static let unused = Entry(address: 0, generation: 0, isShared: false, offset: 0)

    /// Forgets all tables.
    @inline(__always)
    mutating func removeAll() {
        count = 0
        generation &+= 1
        if generation == 0 {
            entries = Array(repeating: Self.unused, count: entries.count)
            generation = 1
        }
    }

    /// Where the table at `address` was written before, or nil after noting that it is being written at `offset`.
    @inline(__always)
    mutating func visit(_ address: UInt, at offset: Int) -> Int? {
        var slot = Self.slot(of: address, mask: entries.count - 1)
        while entries[slot].generation == generation {
            if entries[slot].address == address {
                entries[slot].isShared = true
                return entries[slot].offset
            }
            slot = (slot + 1) & (entries.count - 1)
        }
        entries[slot] = Entry(address: address, generation: generation, isShared: false, offset: offset)
        count += 1
        if count * 2 > entries.count { grow() }
        return nil
    }

    /// Where the tables were written that have been visited more than once, in order.
    func sharedOffsets() -> [Int] {
        entries.filter { $0.generation == generation && $0.isShared }.map(\.offset).sorted()
    }

    private static func slot(of address: UInt, mask: Int) -> Int {
        // Fibonacci hashing (Knuth, The Art of Computer Programming 3, section 6.4); addresses end in zeros.
        Int(truncatingIfNeeded: (UInt64(address) &* 0x9E37_79B9_7F4A_7C15) >> 32) & mask
    }

    private mutating func grow() {
        let old = entries
        entries = Array(repeating: Self.unused, count: old.count * 2)
        let mask = entries.count - 1
        for entry in old where entry.generation == generation {
            var slot = Self.slot(of: entry.address, mask: mask)
            while entries[slot].generation == generation { slot = (slot + 1) & mask }
            entries[slot] = entry
        }
    }
}
