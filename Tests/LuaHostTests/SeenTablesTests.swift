import Simulation
import Testing

@testable import LuaHost

@Suite("Tables that an encoder has met")
struct SeenTablesTests {
    @Test("each is found where it was met first, and those met again in order", arguments: 0..<10 as Range<UInt64>)
    func finding(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var seen = SeenTables()
        for _ in 0..<20 {
            seen.removeAll()
            var offsets: [UInt: Int] = [:]
            var shared: Set<Int> = []
            // Some addresses are close together, like those of tables made at once; others are a page apart.
            let (spread, step) = (1 + generator.below(2000), UInt(generator.below(2) == 0 ? 64 : 4096))
            for offset in 0..<generator.below(3000) {
                let address = 0x7f00_0000_0040 + UInt(generator.below(spread)) * step
                let found = seen.visit(address, at: offset)
                #expect(found == offsets[address])
                if let found { shared.insert(found) } else { offsets[address] = offset }
            }
            #expect(seen.sharedOffsets() == shared.sorted())
        }
    }

    @Test("none is remembered from an earlier value, however many came since", arguments: [1, 65_534, 65_535, 65_536])
    func forgetting(values: Int) {
        var seen = SeenTables()
        #expect(seen.visit(0x1000, at: 7) == nil)
        for _ in 0..<values { seen.removeAll() }
        #expect(seen.visit(0x1000, at: 9) == nil)
        #expect(seen.visit(0x1000, at: 11) == 9)
    }

    @Test("offsets beyond four gigabytes are kept")
    func largeOffsets() {
        var seen = SeenTables()
        #expect(seen.visit(0x1000, at: 1 << 46) == nil)
        #expect(seen.visit(0x1000, at: 1) == 1 << 46)
    }
}
