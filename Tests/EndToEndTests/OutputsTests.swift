import Glibc
import TestSupport
import Testing

/// The output of the commands of `--each` that `--outputs` keeps.
@Suite("A folder for each example", .hangLimit)
struct OutputsTests {
    private func each(_ options: String, _ command: String, _ words: [String], in scratch: Scratch) throws -> Outcome {
        let all = ["dlp-lua"] + options.split(separator: " ").map { String($0) } + ["--each", command, ":::"] + words
        return try Launched(all, in: scratch).finish()
    }

    @Test("has what the command wrote, byte by byte, and its status, and all is printed as without")
    func folders() throws {
        let scratch = try Scratch()
        let command = "printf 'a\\n{}'; echo e{} >&2; case {} in 2) exit 7;; 3) kill -9 $$;; esac"
        let outcome = try each("-np 2 --outputs deep/er", command, ["1", "2", "3"], in: scratch)
        #expect(outcome.status == 4 && outcome.output == "a\n1a\n2a\n3", "\(outcome)")
        for (index, status) in [(1, 0), (2, 7), (3, 137)] {
            #expect(scratch.read("deep/er/\(index)/stdout") == "a\n\(index)")
            #expect(scratch.read("deep/er/\(index)/stderr") == "e\(index)\n")
            #expect(scratch.read("deep/er/\(index)/status") == "\(status)\n")
        }
    }

    @Test("is written anew by a job that goes on, and what took too long has none of an earlier one's")
    func again() throws {
        let scratch = try Scratch()
        try scratch.write("go", "")
        let command = "echo {}; test {} != 2 || test -e go || sleep 1000"
        let first = try each("-np 2 --journal j --outputs o --timeout 2", command, ["1", "2"], in: scratch)
        #expect(first.status == 0 && scratch.read("o/2/status") == "0\n", "\(first)")
        #expect(unlink(scratch.path + "/go") == 0)
        let late = try each("-np 2 --outputs o --timeout 2", command, ["1", "2"], in: scratch)
        #expect(late.status == 4 && scratch.read("o/1/status") == "0\n", "\(late)")
        #expect(scratch.read("o/2/status") == nil && scratch.read("o/2/stdout") == nil)
        let kept = try each("-np 2 --journal j --outputs o --timeout 2", command, ["1", "2"], in: scratch)
        #expect(
            kept.status == 0 && scratch.read("o/2/stdout") == "2\n" && scratch.read("o/2/status") == "0\n", "\(kept)")
    }

    @Test("that cannot be written ends the job with status 2 and one message", arguments: ["", "-np 2"])
    func unwritable(_ start: String) throws {
        let scratch = try Scratch()
        _ = try run("sh -c", "mkdir o && touch o/2", in: scratch)
        let outcome = try each("\(start) --outputs o", "echo", ["1", "2", "3"], in: scratch)
        #expect(
            outcome.status == 2
                && outcome.isOneMessage("dlp-lua", with: "what a command wrote cannot be kept: o/2: Not a directory"),
            "\(outcome)")
    }

    @Test("is of no use without --each, and nothing is kept by --dry-run")
    func refusals() throws {
        let scratch = try Scratch()
        let useless = try Launched(["dlp-lua", "--outputs", "o", "-e", "print(1)"], in: scratch).finish()
        #expect(
            useless.status == 2 && useless.isOneMessage("dlp-lua", with: "--outputs is for a command"), "\(useless)")
        let dry = try each("--dry-run --outputs o", "echo", ["1"], in: scratch)
        #expect(dry.status == 0 && scratch.names.isEmpty, "\(dry)")
    }

    @Test(
        "is not made for a job that is refused",
        arguments: [
            (
                "--with seconds",
                "--with says what stands beside results in a file, and there is none: add --output FILE"
            ),
            ("--only 7", "--only names example 7, and the list has 1"),
        ])
    func refused(_ option: String, _ message: String) throws {
        let scratch = try Scratch()
        let outcome = try each("\(option) --outputs deep/er", "echo", ["1"], in: scratch)
        #expect(outcome.status == 2 && outcome.isOneMessage("dlp-lua", with: message), "\(outcome)")
        #expect(scratch.names.isEmpty)
        #expect(mkdir("\(scratch.path)/deep", 0o777) == 0)
        _ = try each("\(option) --outputs deep/er", "echo", ["1"], in: scratch)
        #expect(scratch.names == ["deep"] && entries(of: "\(scratch.path)/deep").isEmpty)
    }

    @Test("that cannot be made is said before any work is done")
    func unwritable() throws {
        let scratch = try Scratch()
        try scratch.write("file", "")
        let outcome = try each("-np 2 --outputs file/o", "touch done", ["1"], in: scratch)
        #expect(
            outcome.status == 2 && outcome.isOneMessage("dlp-lua", with: "--outputs file/o: Not a directory"),
            "\(outcome)")
        #expect(scratch.names == ["file"])
    }

    @Test("that cannot be written later ends the job with a message")
    func full() throws {
        let scratch = try Scratch()
        let outcome = try each("-np 2 --outputs o", "rm -r o; echo >o", ["1"], in: scratch)
        #expect(
            outcome.status != 0 && outcome.error.contains("what a command wrote cannot be kept: o/1: Not a directory"),
            "\(outcome)")
    }
}
