import Glibc
import TestSupport
import Testing

@Suite("Tests that hang")
struct HangWatchTests {
    @Test("a test that takes too long ends the run, which names it")
    func tooLong() async throws {
        let result = await #expect(processExitsWith: .exitCode(1), observing: [\.standardErrorContent]) {
            let watch = HangWatch(limit: 0.2)
            watch.end(watch.begin("that ended"))
            _ = watch.begin("that hangs")
            while true { pause() }
        }
        let message = String(decoding: try #require(result).standardErrorContent, as: UTF8.self)
        #expect(message.contains("✘ Test that hangs has not ended") && !message.contains("that ended"))
    }
}
