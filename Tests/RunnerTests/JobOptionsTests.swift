import DLP
import LuaHost
import Testing

@testable import Runner

@Suite("Options that a script sets")
struct JobOptionsTests {
    @Test("the script sets what the command line has not")
    func scriptSets() throws {
        var options = JobOptions()
        options.mode = .managed
        try options.addScriptOptions([
            ("mode", .text("map")), ("chunk", .text("7")), ("root-works", .text("no")), ("seed", .text("-3")),
            ("on-error", .text("continue")), ("retries", .text("2")), ("crash-limit", .text("3")),
            ("encrypt", .text("yes")),
        ])
        #expect(options.mode == .managed)
        #expect(options.chunk == 7)
        #expect(options.rootWorks == .no)
        #expect(options.seed == .number(-3))
        #expect(options.onError == .continue)
        #expect(options.retries == 2 && options.crashLimit == 3)
        #expect(options.encrypt == .yes)
    }

    @Test(
        "unknown names and values that do not fit are refused",
        arguments: [
            ("colour", "red"), ("mode", "fast"), ("chunk", "0"), ("chunk", "many"), ("seed", "1.5"),
            ("backend", "ame"), ("connect-timeout", "3"), ("progress", "maybe"),
            ("on-error", "ignore"), ("retries", "-1"), ("retries", "1.5"), ("crash-limit", "0"),
            ("crash-limit", "many"), ("encrypt", "maybe"), ("sandbox", "yes"),
        ])
    func refusals(_ name: String, _ value: SystemString) {
        var options = JobOptions()
        #expect(throws: UsageError.self) { try options.addScriptOptions([(name, .text(value))]) }
    }

    @Test("what is written beside results is known by name, and an unknown name is told which there are")
    func fields() throws {
        var options = JobOptions()
        try options.set("with", "peak,seconds")
        #expect(JobOption.named("with")?.value(in: options) == "peak,seconds")
        let error = #expect(throws: UsageError.self) { try options.set("with", "peak,speed") }
        #expect(error?.message.contains("seconds, cpu, peak, rank, host, started, attempts") == true)
    }

    @Test("only what is said by yes and no is said by a boolean")
    func booleans() throws {
        var options = JobOptions()
        try options.addScriptOptions([("root-works", .truth(false)), ("fresh", .truth(true))])
        #expect(options.rootWorks == .no && options.fresh == .yes)
        for name in ["journal", "output", "chunk", "mode", "seed"] {
            let error = #expect(throws: UsageError.self) { try options.addScriptOptions([(name, .truth(true))]) }
            #expect(error?.message == "\(name) must be a string or a number, not true")
        }
    }

    @Test("a script that asks for encryption does not run where the command line forbids it")
    func encryption() {
        var options = JobOptions()
        options.encrypt = .no
        let error = #expect(throws: UsageError.self) {
            try options.addScriptOptions([("encrypt", .truth(true))])
        }
        #expect(error?.message.contains("--encrypt no") == true)
    }
}
