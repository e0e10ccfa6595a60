import DLP
import Planning
import Testing

@testable import Journal

/// The number of each example among equal ones, in lists of any length.
struct DigestListTests {
    @Test("each has its digest, and the number that it has among equal ones", arguments: [1, 3, 100, 10_000])
    func numbers(_ kinds: UInt64) {
        var random = SeededGenerator(seed: kinds)
        var list = DigestList()
        var seen: [Digest: Int] = [:]
        var expected: [ExampleKey] = []
        for _ in 0..<10_000 {
            // Digests of one kind differ in their upper bits, and so do those that fall into one slot.
            let kind = UInt64.random(in: 0..<kinds, using: &random)
            let digest = Digest(high: kind % 7, low: kind / 2)
            seen[digest, default: 0] += 1
            expected.append(ExampleKey(digest: digest, occurrence: seen[digest] ?? 0))
            #expect(list.append(digest) == expected.last)
        }
        #expect(list.count == expected.count)
        #expect(expected.indices.map { list.key(at: $0) } == expected)
    }
}
