import DLP
import LuaHost
import Testing

@testable import Runner

@Suite("Joining a job")
struct JoiningTests {
    @Test(
        "an address is a port, with the host before it",
        arguments: [
            ("0", nil, 0), ("7000", nil, 7000), ("node1:7000", "node1", 7000), ("10.0.0.1:65535", "10.0.0.1", 65535),
            ("[::1]:80", "::1", 80),
        ] as [(String, String?, UInt16)])
    func addresses(_ text: String, _ host: String?, _ port: UInt16) {
        #expect(JobAddress(text)?.host == host && JobAddress(text)?.port == port)
    }

    @Test(
        "what is no address is none",
        arguments: ["", ":", "host", "host:", ":80", "::1:80", "[]:80", "host:-1", "host:65536", "host:8 0", "+1"])
    func noAddresses(_ text: String) { #expect(JobAddress(text) == nil) }

    private func settings(_ values: [(String, SystemString)], sandboxed: Bool = false) throws -> JobSettings {
        var options = JobOptions()
        for (name, value) in values { try options.set(name, value) }
        options.isSandboxed = sandboxed
        var settings = JobSettings(options, seed: -7, size: 3)
        settings.journal = try JournalSettings(options)
        return settings
    }

    @Test(
        "a late rank hands out, fails and seeds as the others do",
        arguments: [
            [], [("mode", "managed"), ("chunk", "9")],
            [("on-error", "continue"), ("retries", "3"), ("crash-limit", "5")],
            [("root-works", "no"), ("examples", "root"), ("memory", "1G"), ("timeout", "0.25")],
            [("mode", "managed"), ("journal", "run.db")], [("costs", "run.db")],
        ] as [[(String, SystemString)]], [false, true])
    func offers(_ values: [(String, SystemString)], _ sandboxed: Bool) throws {
        let settings = try settings(values, sandboxed: sandboxed)
        let script = Script(
            chunkName: "@job.lua", source: Bytes([0x1B, 0, 255]), name: "job.lua",
            arguments: ["a b", "", "\u{e9}", SystemString(bytes: [0xE9])])
        let agreement = Agreement(source: .replicated, count: 4, finding: Bytes([1, 2, 3]))
        var offer = JobOffer(script, settings, agreement)
        offer.loop = 5
        let received = try #require(JobOffer(encoded: try offer.encoded()))
        #expect(received.script.source == script.source && received.script.arguments == script.arguments)
        #expect(received.script.name == "job.lua" && received.script.chunkName == "@job.lua")
        #expect(received.loop == 5 && received.finding == agreement.finding && received.source == .replicated)
        let there = try received.settings(size: 3)
        func plan(_ settings: JobSettings) -> JobPlan {
            JobPlan(
                settings: settings, examples: .count(4), agreement: agreement, collects: false, summarizes: false,
                hasCost: false)
        }
        #expect(plan(there).loopOptions == plan(settings).loopOptions)
        #expect(plan(there).announcedLength == plan(settings).announcedLength)
        #expect(there.seed == -7 && there.memory == settings.memory && there.timeout == settings.timeout)
        #expect(there.isSandboxed == sandboxed && there.examples == settings.examples)
    }

    @Test("bytes that are no offer are none", arguments: [[], [0xF6], [0xA0], [0xA1, 0x64], [0xFF]] as [[UInt8]])
    func noOffers(_ bytes: [UInt8]) { #expect(JobOffer(encoded: Bytes(bytes)) == nil) }
}
