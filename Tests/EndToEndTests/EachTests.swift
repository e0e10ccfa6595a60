import Glibc
import TestSupport
import Testing

/// A command that is run for each example.
@Suite("Each", .hangLimit)
struct EachTests {
    /// Runs dlp-lua with these options, a command, and the words after it.
    private func each(
        _ options: String = "", _ command: String, _ lists: [String], in scratch: Scratch? = nil, input: String = ""
    ) throws -> Outcome {
        let words = ["dlp-lua"] + options.split(separator: " ").map { String($0) } + ["--each", command] + lists
        return try Launched(words, in: scratch ?? Scratch(), input: input).finish()
    }

    // The output of GNU parallel for the same arguments, except that empty words stay words here.
    private static let replacements: [(command: String, list: [String], expected: [String])] = [
        ("echo {} {.} {/} {//} {/.} {#}", ["a/b.c.d"], ["a/b.c.d a/b.c b.c.d a b.c 1"]),
        ("echo {.} {/} {//} {/.}", ["/x", ".h", "a.b/c"], ["/x x / x", " .h . ", "a.b/c c a.b c"]),
        ("echo [{/}] [{//}]", ["a/b/", "/", "a//b"], ["[] [a]", "[] [/]", "[b] [a]"]),
        ("echo {#}:{1} {-1}{2}", ["a", "b", ":::", "1", "2"], ["1:a 11", "2:a 22", "3:b 11", "4:b 22"]),
        ("echo {2/.}-{1//} {}", ["p/q", ":::", "r/s.t"], ["s-p p/q r/s.t"]),
        ("echo", ["a", "b"], ["a", "b"]), ("echo x;", ["echo"], ["x", ""]), ("echo {#}", ["q"], ["1"]),
        // Braces that name no replacement belong to the command.
        ("echo ab | grep -oE 'b{1,2}' && echo {3} ${HOME+{}} x{a,b} # {}", ["q"], ["b", "{3} q x{a,b}"]),
        ("set -- p; echo ${1} $1 {1}", ["q"], ["p p q"]), ("echo q | awk '{print $1}' -", [], []),
    ]

    @Test("replacement strings stand for the example", arguments: replacements)
    func replaced(_ its: (command: String, list: [String], expected: [String])) throws {
        let outcome = try each("-np 2", its.command, [":::"] + its.list)
        #expect(outcome.output == its.expected.map { "\($0)\n" }.joined(), "\(outcome.error)")
    }

    private static let hostile = [
        "a b", "", "it's", "\"", "$(touch hacked)", "`touch hacked`", "; touch hacked", "l1\nl2", "-n", "--", "*", "~",
        "\\", "\\\\'\"$x", "!", "#", "a=b", "{}", "é", "&", "tab\there", "end\\",
    ]

    @Test(
        "any word stays one word, bare and in every kind of quotes",
        arguments: [
            "printf '[%s]' {}", "printf '[%s]' \"{}\"", "printf '[%s]' '{}'", "printf '[%s]' \"$(printf '%s.' {})\"",
            "printf '[%s]' \"$(printf '%s.' \"{}\")\"", "(cd . && printf '[%s]' {})",
        ])
    func hostile(_ command: String) throws {
        let scratch = try Scratch()
        let outcome = try each("-np 2", command, [":::"] + Self.hostile, in: scratch)
        let dot = command.contains("%s.") ? "." : ""
        #expect(outcome.output == Self.hostile.map { "[\($0)\(dot)]" }.joined(), "\(outcome.error)")
        #expect(outcome.error == "" && scratch.names.isEmpty, "nothing of a word was run")
    }

    @Test("bytes that are no UTF-8 reach the program and come back")
    func bytes() throws {
        let scratch = try Scratch()
        try scratch.write(
            "bytes.sh",
            #"dlp-lua -np 2 --tag --each 'printf %s {} | od -An -tx1' ::: "$(printf '\377 \200')" | od -An -c"#)
        let outcome = try run("bash bytes.sh", in: scratch)
        let words = outcome.output.split { " \n".contains($0) }.joined(separator: " ")
        #expect(words == #"377 200 \t f f 2 0 8 0 \n"#, "\(outcome.output)")
    }

    @Test(
        "a command that would not be safe is refused",
        arguments: [
            ("echo `cat {}`", "where no quotes help: write"), ("cat <<E\n{}\nE", "where no quotes help: write"),
            ("x=$(cat <<E\n{}\nE\n); echo $x", "where no quotes help: write"),
            ("echo $'{}'", "read otherwise by different shells"),
        ])
    func refused(_ command: String, _ reason: String) throws {
        let outcome = try each("-np 2", command, [":::", "a"])
        #expect(outcome.status == 1 && outcome.output == "")
        #expect(outcome.error.contains("--each: ") && outcome.error.contains(reason), "\(outcome.error)")
        #expect(!outcome.error.contains("traceback"))
    }

    @Test(
        "no word is run, wherever the command has it",
        arguments: [
            "# don't be late\necho {}", "echo \"$(case x in x) echo {};; esac)\"", "echo \"cost \\$({})\"",
            "echo hi # {}", "cat <<E\nhi\nE", "echo $(( {} + 1 ))", "echo hi # note",
            "case {} in a) echo {};; *) echo {};; esac",
            "echo \"${HOME:+x}\" {}", "echo hi\n", "echo ${HOME#{}}",
        ])
    func neverRun(_ command: String) throws {
        let scratch = try Scratch()
        for word in [
            "a; touch hacked", "$(touch hacked)", "a\ntouch hacked\n#", "`touch hacked`", "'; touch hacked; '",
        ] {
            let words = ["dlp-lua", "--each", command, ":::", word]
            let outcome = try Launched(words, in: scratch).finish()
            #expect([0, 4].contains(outcome.status), "\(outcome)")
            #expect(scratch.names == [], "\(word)")
        }
    }

    @Test("numbers are those of the file, and what a row lacks is not taken for something else")
    func numbers() throws {
        let scratch = try Scratch()
        try scratch.write("rows.jsonl", "{\"x\":0.1234567890123456789,\"n\":3}\n")
        let outcome = try Launched(
            ["dlp-lua", "--input", "rows.jsonl", "--each", "echo {x} {n}>out.{n}; cat out.{n}; rm out.{n}"], in: scratch
        ).finish()
        #expect(outcome.output == "0.12345678901234568 3\n" && outcome.status == 0, "\(outcome)")
    }

    @Test(
        "what commands write comes whole and in the order of the examples",
        arguments: [
            "", "-np 3", "-np 3 --mode managed", "-np 2 --mode round-robin", "-np 3 --chunk 1 --root-works no",
            "-np 2 --output results.jsonl",
        ])
    func order(_ options: String) throws {
        let scratch = try Scratch()
        // The first command ends last wherever others can run meanwhile.
        let slow = "case {} in 1) sleep 0.3;; esac; echo {}; echo e{} >&2; echo {} again"
        let outcome = try each(options, slow, [":::", "1", "2", "3", "4"], in: scratch)
        #expect(outcome.lines == (1...4).flatMap { ["\($0)", "\($0) again"] } && outcome.status == 0)
        #expect(outcome.error == "e1\ne2\ne3\ne4\n")
    }

    @Test("with --collect arrival what ends first is shown first")
    func arrival() throws {
        let scratch = try Scratch()
        let slow = "case {} in 1) while ! test -e go; do sleep 0.05; done;; 3) touch go;; esac; echo {}"
        let outcome = try each(
            "-np 2 --mode managed --chunk 1 --collect arrival", slow, [":::", "1", "2", "3"], in: scratch)
        #expect(
            outcome.lines.sorted() == ["1", "2", "3"] && outcome.lines[0] == "2" && outcome.status == 0, "\(outcome)")
    }

    @Test("a command that fails is a failed example, and the others are done")
    func failures() throws {
        let scratch = try Scratch()
        let command = "echo out; echo err {} >&2; case {} in b) exit 3;; c) kill -9 $$;; esac"
        let outcome = try each("-np 2 --output r.jsonl", command, [":::", "a", "b", "c", "d"], in: scratch)
        #expect(outcome.status == 4 && outcome.lines == ["out", "out", "out", "out"])
        #expect(outcome.error.hasPrefix("err a\nerr b\nerr c\nerr d\n"))
        #expect(outcome.error.contains("esac ended with status 3: err b"))
        #expect(outcome.error.contains("was ended by signal 9 (SIGKILL): err c"))
        #expect(outcome.error.contains("2 of 4 examples failed, first example 2"))
        let rows = try #require(scratch.read("r.jsonl")).split(separator: "\n")
        let statuses = rows.map { $0.contains("\"status\":0") ? 0 : $0.contains("\"status\":3") ? 3 : 137 }
        #expect(rows.count == 4 && statuses == [0, 3, 137, 0], "\(rows)")
        #expect(rows.allSatisfy { $0.contains(#""stdout":"out\n""#) && $0.contains(#""stderr":"err "#) })
        let fields = ["cpu", "example", "peak", "seconds"]
        #expect(rows.allSatisfy { row in fields.allSatisfy { row.contains("\"\($0)\":") } })

        let stopped = try each("--on-error stop", command, [":::", "b", "d"])
        #expect(stopped.status == 1 && stopped.error.contains("example 1 failed, given \"b\"") && stopped.output == "")
    }

    @Test("one that fails is tried again, and only its last attempt is shown")
    func retries() throws {
        let scratch = try Scratch()
        let command = "echo {}; echo >>{}.tried; test $(wc -l <{}.tried) -ge 3"
        let outcome = try each("-np 2 --retries 2", command, [":::", "a", "b"], in: scratch)
        #expect(outcome.lines == ["a", "b"] && outcome.status == 0 && outcome.error == "", "\(outcome.error)")
        let short = try each("--retries 1", "echo x; echo >>n; false", [":::", "a"], in: scratch)
        #expect(short.lines == ["x"] && short.status == 4 && scratch.read("n") == "\n\n")
    }

    @Test("one that takes too long is ended, and all that it has started")
    func timeout() throws {
        let outcome = try each("--timeout 1", "echo {}; sleep {}; echo {}", [":::", "0", "1000"])
        #expect(outcome.lines == ["0", "0"] && outcome.status == 4)
        #expect(outcome.error.contains("takes longer than --timeout allows"))
    }

    @Test("a journal goes on with what is not done, and the output is the same")
    func journal() throws {
        let scratch = try Scratch()
        let command = "echo {} >>done; test {} != b -o -e go && echo {}"
        let first = try each("-np 2 --journal j", command, [":::", "a", "b"], in: scratch)
        #expect(first.status == 4 && first.lines == ["a"])
        try scratch.write("go", "")
        let second = try each("-np 2 --journal j", command, [":::", "a", "b", "c"], in: scratch)
        #expect(second.lines == ["a", "b", "c"] && second.status == 0, "\(second.error)")
        let third = try each("--tag --journal j", command, [":::", "c", "a", "b"], in: scratch)
        #expect(third.lines == ["c\tc", "a\ta", "b\tb"])
        #expect(scratch.read("done")?.split(separator: "\n").sorted() == ["a", "b", "b", "c"])
        let other = try each("--journal j", "echo other", [":::", "a"], in: scratch)
        #expect(other.status == 2 && other.error.contains("was made by \(command), not by echo other"))
    }

    @Test("one that is interrupted says how to go on, and does")
    func interrupted() throws {
        let scratch = try Scratch()
        let command = "echo {} >>began; while ! test {} = a -o -e go; do sleep 0.05; done; echo {}"
        let words = ["dlp-lua", "-np", "2", "--journal", "j", "--each", command, ":::", "a", "b", "c"]
        let launched = try Launched(words, in: scratch)
        try launched.reaches("a is done, and two more have begun") {
            scratch.read("began")?.split(separator: "\n").count == 3
        }
        kill(launched.pid, SIGINT)
        #expect(try launched.finish().status == 130)
        try scratch.write("go", "")
        let rest = try Launched(words, in: scratch).finish()
        #expect(rest.lines == ["a", "b", "c"] && rest.status == 0, "\(rest.error)")
        #expect(scratch.read("began")?.split(separator: "\n").filter { $0 == "a" }.count == 1)
    }

    @Test("results cannot be written to the file that has the examples")
    func clash() throws {
        let scratch = try Scratch()
        try scratch.write("list.jsonl", "a\n")
        let outcome = try each("--output list.jsonl", "echo {}", ["::::", "list.jsonl"], in: scratch)
        #expect(outcome.status == 2 && outcome.isOneMessage("dlp-lua", with: "name the same file"), "\(outcome)")
        #expect(scratch.read("list.jsonl") == "a\n")
    }

    @Test("standard output that is full ends the job with status 2 and one message", arguments: ["", "-np 2"])
    func full(_ start: String) throws {
        let outcome = try run("bash -c", "dlp-lua \(start) --each 'echo {}' ::: a b >/dev/full")
        // Where there are several ranks the launcher writes.
        let message = start.isEmpty ? "what a command wrote cannot be written" : "cannot pass on the ranks' output"
        #expect(
            outcome.status == 2 && outcome.isOneMessage("dlp-lua", with: message, "No space left on device"),
            "\(outcome)")
    }

    @Test(
        "what is said of the outputs of those that failed is true",
        arguments: [
            ("echo {}; exit 3", "; what they wrote stands with the rest\n"),
            ("echo {}; sleep 60", "; what they wrote is lost\n"),
            ("echo {}; test {} = a || sleep 60; exit 3", "; what 1 of them wrote stands with the rest\n"),
        ])
    func outputsOfFailed(_ command: String, _ end: String) throws {
        let outcome = try each("--timeout 2", command, [":::", "a", "b"])
        #expect(outcome.status == 4 && outcome.error.hasSuffix(end), "\(outcome)")
    }

    @Test("--dry-run prints the commands, and does nothing")
    func dryRun() throws {
        let scratch = try Scratch()
        let outcome = try each(
            "-np 2 --dry-run --journal j --output r.csv", "touch {}; echo '{/}'", [":::", "a", "b c", "it's"],
            in: scratch)
        #expect(outcome.lines == ["touch a; echo 'a'", "touch 'b c'; echo 'b c'", #"touch 'it'\''s'; echo 'it'\''s'"#])
        #expect(scratch.names.isEmpty && outcome.error == "" && outcome.status == 0)
    }

    @Test("--tag puts the example before each line")
    func tags() throws {
        let outcome = try each("-np 2 --tag", "printf 'x\\ny'; echo e >&2; : {}", [":::", "a b", "100%", ":::", "1"])
        #expect(outcome.output == "a b 1\tx\na b 1\ty\n100% 1\tx\n100% 1\ty\n")
        #expect(outcome.error == "a b 1\te\n100% 1\te\n")
    }

    @Test("examples come from files and standard input, too, of which the command reads nothing")
    func inputs() throws {
        let scratch = try Scratch()
        try scratch.write("runs.csv", "lr,a name\n0.1,\"x \"\"y\"\"\"\n1,z\n")
        let rows = try each("-np 2 --input runs.csv", "echo {lr} '{a name}' {other}", [], in: scratch)
        #expect(rows.lines == [#"0.1 x "y" {other}"#, "1 z {other}"] && rows.error == "")
        #expect(try each("-np 2", "cat; echo {}", [], input: "a\nb\n").lines == ["a", "b"])
        #expect(try each("-0", "wc -l; echo {}", [], input: "a\0").lines == ["0", "a"])
        #expect(try each("", "cat; echo {}", ["::::", "-", ":::", "1"], input: "a\nb").lines == ["a 1", "b 1"])
        #expect(try each("", "eval {}", [], input: "echo a b\necho c; echo d").lines == ["a b", "c", "d"])
    }

    @Test("a thousand are done, by several ranks")
    func many() throws {
        let outcome = try each("-np 2 --tag", "echo {#}", [":::"] + (1...1000).map { "n\($0)" })
        #expect(outcome.lines == (1...1000).map { "n\($0)\t\($0)" } && outcome.error == "")
    }

    @Test(
        "what cannot be is said once",
        arguments: [
            ("--each gzip file ::: a", "--each takes the command as one word"),
            ("--each", "--each wants a value"),
            ("--tag job.lua", "--tag is for a command"),
            ("--each true -e x=1 ::: a", "leave one of them out"),
            ("--sandbox --each true ::: a", "there are no programs"),
            ("--results j --each true", "without a script"),
            ("--join h:1 --each true", "--join takes script and options"),
        ])
    func mistakes(_ words: String, _ message: String) throws {
        let outcome = try run("dlp-lua \(words)")
        #expect(outcome.status == 2 && outcome.complaints.count == 1, "\(outcome.error)")
        #expect(outcome.error.contains(message), "\(outcome.error)")
    }
}
