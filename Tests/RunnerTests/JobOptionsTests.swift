import Testing

@testable import Runner

@Suite("Options that a script sets")
struct JobOptionsTests {
    @Test("the script sets what the command line has not")
    func scriptSets() throws {
        var options = JobOptions()
        options.mode = .managed
        try options.addScriptOptions([("mode", "map"), ("chunk", "7"), ("root-works", "no"), ("seed", "-3")])
        #expect(options.mode == .managed)
        #expect(options.chunk == 7)
        #expect(options.rootWorks == .no)
        #expect(options.seed == .number(-3))
    }

    @Test(
        "unknown names and values that do not fit are refused",
        arguments: [
            ("colour", "red"), ("mode", "fast"), ("chunk", "0"), ("chunk", "many"), ("seed", "1.5"),
            ("backend", "ame"), ("connect-timeout", "3"), ("progress", "maybe"),
        ])
    func refusals(_ name: String, _ value: String) {
        var options = JobOptions()
        #expect(throws: UsageError.self) { try options.addScriptOptions([(name, value)]) }
    }
}

@Suite("Shares of mode round-robin")
struct RoundRobinShareTests {
    @Test("every example is one rank's, with and without the root", arguments: 1...5, 0...13)
    func partition(_ size: Int, _ total: Int) {
        for rootWorks in [true, false] {
            var options = JobOptions()
            options.rootWorks = rootWorks ? .yes : .no
            let settings = JobSettings(options, seed: 0, size: size)
            var owners: [Int: Int] = [:]
            for rank in 0..<size {
                let share = RoundRobinShare(rank: rank, settings: settings, size: size)
                for number in 0..<share.count(of: total) {
                    #expect(owners.updateValue(rank, forKey: share.first + number * share.stride) == nil)
                }
                if rank == 0, !rootWorks, size > 1 { #expect(share.count(of: total) == 0) }
            }
            #expect(owners.keys.sorted() == Array(0..<total))
        }
    }
}
