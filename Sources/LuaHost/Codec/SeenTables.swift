/// The tables that an encoder has met, and where it wrote them: an open-addressing hash table keyed by address.
///
/// Emptying it costs nothing: an entry counts only if it has the current generation.
struct SeenTables {
    /// An address, and one word that holds, from the lowest bit on: generation, whether the table was met again, offset.
    private struct Entry {
        var address: UInt = 0
        var word: UInt64 = 0

        init() {}

        @inline(__always)
        init(address: UInt, generation: UInt64, offset: Int) {
            self.address = address
            word = generation | UInt64(offset) << (generationBits + 1)
        }

        var generation: UInt64 { word & (1 << generationBits - 1) }
        var isShared: Bool { word & sharedBit != 0 }
        var offset: Int { Int(word >> (generationBits + 1)) }
        mutating func share() { word |= sharedBit }
    }

    private var entries: [Entry]
    private var generation: UInt64 = 1
    private var count = 0

    init() { entries = Array(repeating: Entry(), count: 64) }

    /// Forgets all tables.
    @inline(__always)
    mutating func removeAll() {
        count = 0
        generation += 1
        if generation == 1 << generationBits {
            entries = Array(repeating: Entry(), count: entries.count)
            generation = 1
        }
    }

    /// Returns where the table at `address` was written before; nil if it is new, and then notes that it is written at `offset`.
    @inline(__always)
    mutating func visit(_ address: UInt, at offset: Int) -> Int? {
        var slot = Self.slot(of: address, mask: entries.count - 1)
        while entries[slot].generation == generation {
            if entries[slot].address == address {
                entries[slot].share()
                return entries[slot].offset
            }
            slot = (slot + 1) & (entries.count - 1)
        }
        entries[slot] = Entry(address: address, generation: generation, offset: offset)
        count += 1
        if count * 2 > entries.count { grow() }
        return nil
    }

    /// Returns the offsets of the tables that were visited more than once, ascending.
    func sharedOffsets() -> [Int] {
        entries.filter { $0.generation == generation && $0.isShared }.map(\.offset).sorted()
    }

    /// Returns the slot at which the search for `address` begins.
    ///
    /// Tables of one memory page, whose addresses differ by at least 64 bytes, are neighbours here, too. Tables that
    /// were made together are mostly encoded together, so a walk over many tables finds their entries in the cache.
    @inline(__always)
    private static func slot(of address: UInt, mask: Int) -> Int {
        // Fibonacci hashing (Knuth, The Art of Computer Programming 3, section 6.4).
        let page = Int(truncatingIfNeeded: (UInt64(address >> 12) &* 0x9E37_79B9_7F4A_7C15) >> 32)
        return (page << 6 | Int(truncatingIfNeeded: address >> 6 & 63)) & mask
    }

    private mutating func grow() {
        let old = entries
        entries = Array(repeating: Entry(), count: old.count * 2)
        let mask = entries.count - 1
        for entry in old where entry.generation == generation {
            var slot = Self.slot(of: entry.address, mask: mask)
            while entries[slot].generation == generation { slot = (slot + 1) & mask }
            entries[slot] = entry
        }
    }
}

/// The offset takes the rest of the 64 bits, which is more than any address space holds.
private let generationBits: UInt64 = 16
private let sharedBit: UInt64 = 1 << generationBits
