import Glibc
import TestSupport
import Testing

/// A single system call fails, any of them.
///
/// This may cost a rank, or end the job with a message, but never lose a result or hang.
@Suite(.hangLimit)
struct FailingCallTests {
    /// Small and large messages are sent in both directions.
    private static let job = """
        local word = dlp.bcast(("y"):rep(400000))
        function examples() return 6 end
        function work(n) return #word + n, ("x"):rep(n == 3 and 400000 or 3) end
        function summarize(results)
          local sum = 0
          for n = 1, results.n do sum = sum + results[n] end
          print(sum)
        end
        """

    /// Runs the job once for each call that `process` makes, with that call failing.
    private func fail(_ process: String, with number: Int32?, _ check: (Outcome, _ call: String) -> Void) throws {
        let place = try Scratch()
        let library = try FailingCall.compile(in: place)
        var call = 0
        while true {
            call += 1
            let scratch = try Scratch(job: Self.job)
            let failing = FailingCall(number: call, process: process, errno: number)
            let outcome = try run(
                "ameexec -np 2 dlp-lua --chunk 1 job.lua", in: scratch,
                environment: failing.environment(library, in: scratch))
            guard let name = FailingCall.name(in: scratch) else { break }
            check(outcome, "call \(call) of \(process), \(name): status \(outcome.status), \(outcome.error)")
        }
        #expect(call > 20)
    }

    @Test(
        "a call that fails once costs a rank at most, or ends the job with a word", arguments: ["0", "1", "launcher"])
    func once(_ process: String) throws {
        try fail(process, with: nil) { outcome, call in
            if outcome.status == 0 {
                #expect(outcome.output == "2400021\n", "\(call)")
            } else {
                #expect(["", "2400021\n"].contains(outcome.output), "\(call)")
                #expect(!outcome.error.isEmpty && !outcome.error.contains("Fatal error"), "\(call)")
            }
        }
    }

    @Test("a call that a signal has interrupted is made again", arguments: ["0", "1", "launcher"])
    func interrupted(_ process: String) throws {
        try fail(process, with: EINTR) { outcome, call in
            #expect(outcome.status == 0 && outcome.output == "2400021\n" && outcome.error == "", "\(call)")
        }
    }
}

/// A system call that the library of `Tests/FailingCalls` makes fail.
struct FailingCall {
    /// The call's number, counted from 1.
    var number: Int
    /// The rank that makes it, or "launcher".
    var process: String
    /// The error of the call; nil: one that suits the call.
    var errno: Int32?

    /// Compiles the library; returns its path.
    static func compile(in scratch: Scratch) throws -> String {
        let source = "\(Program.root)/Tests/FailingCalls/failing-calls.c"
        let compiled = try run("cc -shared -fPIC -O1 -o failing-calls.so \(source) -ldl", in: scratch)
        try #require(compiled.status == 0, "\(compiled.error)")
        return "\(scratch.path)/failing-calls.so"
    }

    /// The variables that make the call fail.
    func environment(_ library: String, in scratch: Scratch) -> [String: String] {
        var variables = [
            "LD_PRELOAD": library, "FAILING_CALL": "\(number)", "FAILING_PROCESS": process,
            "FAILING_REPORT": "\(scratch.path)/failed",
        ]
        variables["FAILING_ERRNO"] = errno.map { "\($0)" }
        return variables
    }

    /// The name of the call that has failed, if one has.
    static func name(in scratch: Scratch) -> String? { scratch.read("failed") }
}
