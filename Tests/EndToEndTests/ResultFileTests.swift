import TestSupport
import Testing

/// `--output`: results in files for other programs.
@Suite(.hangLimit)
struct ResultFileTests {
    private static let job = """
        function examples() return 40 end
        function work(n)
          if n == 5 then return nil end
          return {n = n, half = n / 2, text = 'a "quoted", one\\nand\\ttab; ä', even = n % 2 == 0}
        end
        """
    private static let commands = [
        "dlp-lua", "ameexec -np 3 dlp-lua", "ameexec -np 3 dlp-lua --mode managed",
        "ameexec -np 3 dlp-lua --mode round-robin",
    ]
    private static let expected = """
        text = 'a "quoted", one\\nand\\ttab; ä'
        expected = [None if n == 5 else {"n": n, "half": n / 2, "text": text, "even": n % 2 == 0} for n in range(1, 41)]

        """

    @Test("JSON Lines hold a result per line", arguments: commands)
    func jsonLines(_ command: String) throws {
        let scratch = try Scratch(job: Self.job)
        let outcome = try run("\(command) --output results.jsonl job.lua", in: scratch)
        #expect(outcome.output == "" && outcome.error == "" && outcome.status == 0)
        let check = try run(
            "python3 -c",
            "import json\n\(Self.expected)assert [json.loads(line) for line in open('results.jsonl')] == expected",
            in: scratch)
        #expect(check.status == 0, "\(check.error)")
    }

    @Test("a JSON file holds one array", arguments: commands)
    func json(_ command: String) throws {
        let scratch = try Scratch(job: Self.job)
        let outcome = try run("\(command) --output results.json job.lua", in: scratch)
        #expect(outcome.output == "" && outcome.error == "" && outcome.status == 0)
        let check = try run(
            "python3 -c", "import json\n\(Self.expected)assert json.load(open('results.json')) == expected", in: scratch
        )
        #expect(check.status == 0, "\(check.error)")
    }

    @Test("a CSV file holds a row per example", arguments: commands)
    func csv(_ command: String) throws {
        let scratch = try Scratch(job: Self.job)
        let outcome = try run("\(command) --output results.csv job.lua", in: scratch)
        #expect(outcome.output == "" && outcome.error == "" && outcome.status == 0)
        let program = """
            import csv
            \(Self.expected)
            rows = list(csv.DictReader(open('results.csv', newline='')))
            assert len(rows) == 40, rows
            for number, (row, want) in enumerate(zip(rows, expected), 1):
                assert row["index"] == str(number), row
                if want is None:
                    assert row["n"] == "" and row["text"] == "", row
                else:
                    assert int(row["n"]) == want["n"] and float(row["half"]) == want["half"], row
                    assert row["text"] == want["text"] and row["even"] == str(want["even"]).lower(), row
            """
        let check = try run("python3 -c", program, in: scratch)
        #expect(check.status == 0, "\(check.error)")
    }

    @Test("a file without results is still a valid one", arguments: [("jsonl", ""), ("json", "[]"), ("csv", "index")])
    func empty(_ format: String, _ text: String) throws {
        let scratch = try Scratch(job: "function examples() return 0 end function work() end")
        let outcome = try run("ameexec -np 2 dlp-lua --output results.\(format) job.lua", in: scratch)
        #expect(outcome.error == "" && outcome.status == 0)
        let written = try #require(scratch.read("results.\(format)"))
        #expect(written.filter { !$0.isWhitespace }.hasPrefix(text) && written.count < 20, "\(written)")
    }

    @Test(
        "a file that cannot be written is known before any work",
        arguments: [("/no/such/directory/results.csv", "No such file"), ("results.txt", ".jsonl")],
        ["dlp-lua", "ameexec -np 3 dlp-lua"])
    func unwritable(_ file: (name: String, says: String), _ command: String) throws {
        let scratch = try Scratch(job: "function examples() return 3 end function work() print('work') end")
        let outcome = try run("\(command) --output \(file.name) job.lua", in: scratch)
        #expect(outcome.isOneMessage("dlp-lua", with: file.name, file.says), "\(outcome.error)")
        #expect(outcome.status == 2 && outcome.output == "")
    }

    @Test("a full disk is an error", arguments: ["jsonl", "json", "csv"], ["dlp-lua", "ameexec -np 3 dlp-lua"])
    func full(_ format: String, _ command: String) throws {
        let scratch = try Scratch(job: Self.job)
        _ = try run("ln -s /dev/full results.\(format)", in: scratch)
        let outcome = try run("\(command) --output results.\(format) job.lua", in: scratch)
        #expect(
            outcome.isOneMessage("dlp-lua", with: "results.\(format)", "No space left on device"), "\(outcome.error)")
        #expect(outcome.status != 0 && outcome.output == "")
    }

    @Test(
        "a job that fails leaves the file that was there, and what there is under a name that says so",
        arguments: ["jsonl", "json", "csv"], ["dlp-lua", "ameexec -np 3 dlp-lua"])
    func failed(_ format: String, _ command: String) throws {
        // If rank 0 only collects, two results have come when the third example fails. If it also works, it may have
        // the next example before it collects a result, but not two thousand.
        let isAlone = command == "dlp-lua"
        let scratch = try Scratch(
            job: """
                function examples() return \(isAlone ? 2000 : 3) end
                function work(n)
                  if n == \(isAlone ? 2000 : 3) then
                    while \(!isAlone) do
                      local file = io.open("done")
                      if file then break end
                    end
                    error("three")
                  end
                  return n
                end
                local collected = 0
                function collect()
                  -- The second may come before the first.
                  collected = collected + 1
                  if collected == 2 then io.open("done", "w"):close() end
                end
                """)
        try scratch.write("out.\(format)", "precious")
        let options = isAlone ? "" : "--root-works no"
        let outcome = try run("\(command) \(options) --chunk 1 --output out.\(format) job.lua", in: scratch)
        #expect(outcome.status == 1 && outcome.error.contains("three"), "\(outcome.error)")
        #expect(outcome.error.hasSuffix("dlp-lua: what there is of the results is in out.\(format).partial\n"))
        #expect(scratch.read("out.\(format)") == "precious")
        let expected = ["jsonl": "1\n2\n", "json": "[\n1,\n2\n]\n", "csv": "index,result\r\n1,1\r\n2,2\r\n"]
        let beginnings = ["jsonl": "1\n2\n", "json": "[\n1,\n2,\n3", "csv": "index,result\r\n1,1\r\n2,2\r\n"]
        let partial = try #require(scratch.read("out.\(format).partial"))
        if isAlone {
            #expect(partial.hasPrefix(beginnings[format] ?? "?"), "\(partial)")
            let ending = ["jsonl": "\n", "json": "\n]\n", "csv": "\r\n"]
            #expect(partial.hasSuffix(ending[format] ?? "?"), "\(partial)")
        } else {
            #expect(partial == expected[format], "\(partial)")
        }
    }

    @Test("a job that fails before it has any result leaves everything as it was", arguments: ["jsonl", "json", "csv"])
    func failedAtOnce(_ format: String) throws {
        let scratch = try Scratch(job: "function examples() error('no list') end function work() end")
        try scratch.write("out.\(format)", "precious")
        let outcome = try run("dlp-lua --output out.\(format) job.lua", in: scratch)
        #expect(outcome.status == 1 && outcome.isOneMessage("dlp-lua", with: "no list"), "\(outcome.error)")
        #expect(scratch.read("out.\(format)") == "precious" && scratch.names.sorted() == ["job.lua", "out.\(format)"])
    }

    @Test(
        "the paths of the command line mean where the program was started, wherever the script goes",
        arguments: ["", "ameexec -np 2 "], ["load", "examples", "work"])
    func otherDirectory(_ launcher: String, _ moment: String) throws {
        let scratch = try Scratch(
            job: """
                local moment = ...
                local function go(now) if now == moment then require "go" end end
                go "load"
                function examples() go "examples" return 3 end
                function work(n) go "work" return n end
                """)
        try scratch.write("go.c", "#include <unistd.h>\nint luaopen_go(void *state) { return chdir(\"/\"), 0; }\n")
        #expect(try run("cc -shared -fPIC go.c -o go.so", in: scratch).status == 0)
        for number in 1...2 {
            let outcome = try run(
                "\(launcher)dlp-lua --journal run.db --output out.json --timeline out.svg job.lua \(moment)",
                in: scratch,
                environment: ["LUA_CPATH": "\(scratch.path)/?.so"])
            #expect(outcome.status == 0 && outcome.error == "", "\(outcome.error)")
            let expected = ["go.c", "go.so", "job.lua", "out.json", "out.svg", "run.db"]
            #expect(
                scratch.names.sorted() == expected && scratch.read("out.json") == "[\n1,\n2,\n3\n]\n", "run \(number)")
        }
    }

    @Test("the script may name the file")
    func scriptOption() throws {
        let scratch = try Scratch(
            job: "dlp.options = {output = 'named.jsonl'} function examples() return 2 end function work(n) return n end"
        )
        let outcome = try run("ameexec -np 2 dlp-lua job.lua", in: scratch)
        #expect(outcome.output == "" && outcome.error == "" && outcome.status == 0)
        #expect(scratch.read("named.jsonl") == "1\n2\n")
    }
}
