import DLP

/// The digests of a list's examples; equal examples are numbered.
///
/// A list may have tens of millions of examples.
struct DigestList: Sendable {
    private var digests: [Digest] = []
    /// For each repeated example, by its index, which of the equal examples it is; first occurrences are not contained.
    private var later: [Int: Int] = [:]
    /// An open-addressing hash table of places in the list, by digest: the latest of several equal ones, from 1; 0: a free
    /// slot.
    private var slots: [UInt32] = Array(repeating: 0, count: 64)
    private var distinct = 0

    /// How many examples there are.
    var count: Int { digests.count }

    /// The key of the example at `index`, from 0.
    func key(at index: Int) -> ExampleKey {
        ExampleKey(digest: digests[index], occurrence: later.isEmpty ? 1 : later[index] ?? 1)
    }

    /// Adds the digest of the next example, and returns its key.
    mutating func append(_ digest: Digest) -> ExampleKey {
        if distinct * 2 >= slots.count { grow() }
        let index = digests.count
        digests.append(digest)
        let slot = slot(of: digest)
        let earlier = Int(slots[slot]) - 1
        slots[slot] = UInt32(index + 1)
        guard earlier >= 0 else {
            distinct += 1
            return ExampleKey(digest: digest, occurrence: 1)
        }
        let occurrence = (later[earlier] ?? 1) + 1
        later[index] = occurrence
        return ExampleKey(digest: digest, occurrence: occurrence)
    }

    /// Returns the slot that contains the digest, or that is free for it.
    private func slot(of digest: Digest) -> Int {
        let mask = slots.count - 1
        // A digest's own bits serve as the hash.
        var slot = Int(truncatingIfNeeded: digest.low) & mask
        while slots[slot] != 0, digests[Int(slots[slot]) - 1] != digest { slot = (slot + 1) & mask }
        return slot
    }

    private mutating func grow() {
        slots = Array(repeating: 0, count: slots.count * 2)
        // In the order of the list, so that the latest of equal examples is kept.
        for index in digests.indices { slots[slot(of: digests[index])] = UInt32(index + 1) }
    }
}
