import CSystem
import Glibc
import Testing

@Suite("Large blocks that are used again")
struct SpareBlockTests {
    private static let megabyte = 1 << 20

    /// Offers new blocks of these sizes in megabytes, one after another, as spares; nil for each that is not kept.
    private static func keep(_ megabytes: [Int], in spares: inout dlp_spares) -> [UnsafeMutableRawPointer?] {
        megabytes.map { size in
            let block = malloc(size * megabyte)
            let isKept = dlp_keep_spare(&spares, block)
            if !isKept { free(block) }
            return isKept ? block : nil
        }
    }

    /// Returns the sizes, in megabytes, with which the kept blocks were made.
    private static func kept(_ spares: dlp_spares) -> [Int] {
        let slots = [spares.slots.0, spares.slots.1, spares.slots.2, spares.slots.3]
        return slots.prefix(spares.count).map { $0.size / megabyte }
    }

    @Test("one that is a little larger will do, the best of them; one too small, or much larger, will not")
    func fit() {
        var spares = dlp_spares()
        defer { dlp_free_spares(&spares) }
        let blocks = Self.keep([9, 20, 10, 8], in: &spares)
        #expect(dlp_take_spare(&spares, 9 * Self.megabyte) == blocks[0])
        #expect(dlp_take_spare(&spares, 9 * Self.megabyte) == blocks[2])
        #expect(dlp_take_spare(&spares, 17 * Self.megabyte) == blocks[1])
        #expect(Self.kept(spares) == [8])
        #expect(dlp_take_spare(&spares, 6 * Self.megabyte) == nil)
    }

    @Test("none is kept any longer once none fits", arguments: [6, 30])
    func unfit(megabytes: Int) {
        var spares = dlp_spares()
        _ = Self.keep([8, 9, 10], in: &spares)
        #expect(dlp_take_spare(&spares, megabytes * Self.megabyte) == nil)
        #expect(spares.count == 0 && !dlp_free_spares(&spares))
    }

    @Test("the oldest go where there are too many, or too much, and one that alone is too much is not taken")
    func bounds() {
        var spares = dlp_spares()
        defer { dlp_free_spares(&spares) }
        _ = Self.keep([4, 5, 6, 7, 8], in: &spares)
        #expect(Self.kept(spares) == [5, 6, 7, 8])
        let most = dlp_most_spare / Self.megabyte
        _ = Self.keep([most - 14], in: &spares)
        #expect(Self.kept(spares) == [8, most - 14])
        #expect(Self.keep([most + 1], in: &spares) == [nil])
        #expect(Self.kept(spares) == [8, most - 14])
    }

    @Test("a small block that grows large keeps what it holds")
    func growth() throws {
        // Other tests of this process use the same blocks meanwhile, so it cannot be known which block it is.
        for _ in 0..<10 {
            dlp_free(dlp_realloc(nil, 33 * Self.megabyte), 33 * Self.megabyte)
            let small = try #require(dlp_realloc(nil, 1_000))
            memset(small, 7, 1_000)
            let large = try #require(dlp_realloc(small, 33 * Self.megabyte))
            #expect((0..<1_000).allSatisfy { large.load(fromByteOffset: $0, as: UInt8.self) == 7 })
            memset(large, 8, 33 * Self.megabyte)
            dlp_free(large, 33 * Self.megabyte)
        }
    }

    @Test("nothing is kept where the address space is limited")
    func limited() async {
        await #expect(processExitsWith: .success) {
            let size = 256 << 20
            var limit = rlimit(rlim_cur: rlim_t.max >> 16, rlim_max: rlim_t.max)
            setrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limit)
            let block = dlp_realloc(nil, size)
            dlp_free(block, size)
            // Nothing is mapped there any longer.
            var residence = [UInt8](repeating: 0, count: 1)
            let page = UnsafeMutableRawPointer(bitPattern: UInt(bitPattern: block) & ~0xfff)
            exit(block != nil && mincore(page, 4_096, &residence) != 0 && errno == ENOMEM ? 0 : 1)
        }
    }
}
