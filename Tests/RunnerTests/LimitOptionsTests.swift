import DLP
import LuaHost
import Testing

@testable import Runner

@Suite("Options that limit a script")
struct LimitOptionsTests {
    @Test(
        "memory is a number of bytes, or of powers of 1024",
        arguments: [
            ("1", 1), ("500000", 500_000), ("12B", 12), ("1K", 1024), ("3k", 3072), ("512M", 512 << 20),
            ("2G", 2 << 30),
            ("1T", 1 << 40), ("1KiB", 1024), ("7MiB", 7 << 20), ("2gib", 2 << 30),
        ])
    func memory(_ text: SystemString, _ bytes: Int) throws {
        var options = JobOptions()
        try options.set("memory", text)
        #expect(options.memory == bytes)
    }

    @Test(
        "values that do not fit are refused with a sentence that names the option",
        arguments: [
            ("memory", "0"), ("memory", "-1"), ("memory", "M"), ("memory", "1.5G"), ("memory", "1KB"),
            ("memory", "1 M"),
            ("memory", ""), ("memory", "9000000000000T"), ("memory", "99999999999999999999"), ("memory", "١"),
            ("timeout", "0"), ("timeout", "-3"), ("timeout", "soon"), ("timeout", "nan"), ("timeout", "inf"),
            ("timeout", "1e10"), ("timeout", ""), ("stop-after", "0"), ("stop-after", "-1"), ("stop-after", "later"),
        ])
    func refusals(_ name: String, _ value: SystemString) {
        var options = JobOptions()
        let error = #expect(throws: UsageError.self) { try options.set(name, value) }
        #expect(error?.message.hasPrefix("\(name) must be a number of ") == true)
    }

    @Test("a script may limit itself where the command line does not")
    func script() throws {
        var options = JobOptions()
        options.memory = 1000
        try options.addScriptOptions([("memory", .text("1G")), ("timeout", .text("2.5")), ("stop-after", .text("0.5"))])
        #expect(options.memory == 1000 && options.timeout == 2.5 && options.stopAfter == 0.5)
    }

    @Test("a script neither opens nor closes its sandbox", arguments: [false, true], ["yes", "no"])
    func sandbox(isSandboxed: Bool, value: SystemString) throws {
        var options = JobOptions()
        options.isSandboxed = isSandboxed
        #expect(throws: UsageError.self) { try options.addScriptOptions([("sandbox", .text(value))]) }
        #expect(options.isSandboxed == isSandboxed)
    }

    @Test("in the sandbox a script names no files")
    func files() throws {
        var options = JobOptions()
        try options.addScriptOptions([("output", .text("x.csv"))])
        #expect(options.output == "x.csv")
        options = JobOptions()
        options.isSandboxed = true
        options.output = "mine.csv"
        let error = #expect(throws: UsageError.self) { try options.addScriptOptions([("output", .text("x.csv"))]) }
        #expect(error?.message.contains("output") == true && options.output == "mine.csv")
        try options.addScriptOptions([
            ("mode", .text("managed")), ("on-error", .text("continue")), ("timeout", .text("1")),
            ("memory", .text("1G")),
            ("stop-after", .text("3")),
        ])
        #expect(options.mode == .managed && options.timeout == 1)
    }
}
