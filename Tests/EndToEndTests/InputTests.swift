import TestSupport
import Testing

/// Examples that come from a file, or from standard input.
@Suite("Inputs", .hangLimit)
struct InputTests {
    private static let table = "name,text,n\r\na,\"one\n\"\"two\"\"\",1\r\n\"b,c\",,2\r\nd,\"\r\n\",3\r\n"
    private static let rows = [
        #"{"n":"1","name":"a","text":"one\n\"two\""}"#, #"{"n":"2","name":"b,c","text":""}"#,
        #"{"n":"3","name":"d","text":"\r\n"}"#,
    ]
    private static let arrangements = [
        "dlp-lua", "ameexec -np 3 dlp-lua", "dlp-lua -np 2 --mode managed", "dlp-lua -np 3 --mode round-robin",
        "ameexec -np 2 dlp-lua --root-works no --chunk 1",
    ]
    private static let echo = "function work(example) return example end"

    @Test("rows reach work by the names of the header, whoever does them", arguments: arrangements)
    func rows(_ arrangement: String) throws {
        let scratch = try Scratch(job: Self.echo)
        try scratch.write("table.csv", Self.table)
        for call in ["--input table.csv job.lua", "--input table.csv --format csv job.lua"] {
            let outcome = try run("\(arrangement) \(call)", in: scratch)
            #expect(outcome.lines == Self.rows && outcome.error == "" && outcome.status == 0, "\(outcome.error)")
        }
        let piped = try run("\(arrangement) --input - --format csv job.lua", in: scratch, input: Self.table)
        #expect(piped.lines == Self.rows && piped.error == "", "\(piped.error)")
    }

    @Test(
        "each format is told by the end of the name, or by the option",
        arguments: [
            ("data", "", "a,b\n\nc", ["\"a,b\"", "\"\"", "\"c\""]), ("data.txt", "", "a\r\n", ["\"a\\r\""]),
            ("data.csv", "", "a,b\n1,2\n", [#"{"a":"1","b":"2"}"#]),
            ("data.CSV", "", "a\n1\n", [#"{"a":"1"}"#]), ("data.csv", "--format lines", "a\n1\n", ["\"a\"", "\"1\""]),
            ("data.tsv", "", "a\tb\n1,5\t2\n", [#"{"a":"1,5","b":"2"}"#]),
            ("data.jsonl", "", "1\n2.0\n\n{\"a\":[null,1]}", ["1", "2.0", #"{"a":{"2":1,"n":2}}"#]),
            ("data.ndjson", "", "\"x\"\n", ["\"x\""]), ("data.db", "--format jsonl", "false\n", ["false"]),
            ("data.csv", "-0", "a\nb\0c", ["\"a\\nb\"", "\"c\""]),
            ("data", "--format nul", "a\0\0", ["\"a\"", "\"\""]),
            ("data.csv", "", "a,b\n", []), ("data.csv", "", "", []), ("data", "", "", []),
        ])
    func formats(name: String, options: String, text: String, expected: [String]) throws {
        let scratch = try Scratch(job: Self.echo)
        try scratch.write(name, text)
        let outcome = try run("dlp-lua -np 2 \(options) --input \(name) job.lua", in: scratch)
        #expect(outcome.lines == expected && outcome.error == "" && outcome.status == 0, "\(outcome.error)")
        guard !options.isEmpty else { return }
        let piped = try run("dlp-lua \(options) job.lua", in: scratch, input: text)
        #expect(piped.lines == expected && piped.error == "", "standard input where no file is named")
    }

    @Test("a script may name its input itself, and the command line another")
    func options() throws {
        let scratch = try Scratch(job: "dlp.options = {input = 'own', format = 'csv'} \(Self.echo)")
        try scratch.write("own", "a\n1\n")
        try scratch.write("other", "x\n")
        #expect(try run("dlp-lua -np 2 job.lua", in: scratch).lines == [#"{"a":"1"}"#])
        #expect(try run("dlp-lua --input other job.lua", in: scratch).lines == ["\"x\""])
        #expect(try run("dlp-lua --format lines job.lua", in: scratch).lines == ["\"a\"", "\"1\""])
        let boxed = try run("dlp-lua --sandbox job.lua", in: scratch)
        #expect(boxed.status == 2 && boxed.error.contains("input cannot be set by the script under --sandbox"))
        // A file that the user names is always allowed.
        try scratch.write("job.lua", Self.echo)
        #expect(try run("dlp-lua --sandbox --input other job.lua", in: scratch).lines == ["\"x\""])
    }

    @Test(
        "what cannot be is said once, and nothing is done", arguments: ["dlp-lua", "ameexec -np 3 dlp-lua"],
        [
            ("--input none.csv", "cannot open none.csv: No such file or directory"),
            ("--input .", ". is a directory"), ("--input data.json", "data.json: JSON Lines have the suffix .jsonl"),
            ("--input data.csv.gz", "data.csv.gz is compressed: pipe it, as in zcat data.csv.gz |"),
            ("--input bad.csv", "bad.csv:3:1: this row has 1 field, the header 2"),
            ("--input open.csv", "open.csv:2:3: a quote that is never closed"),
            ("--input twice.csv", "twice.csv:1:3: the column \"a\" is there twice"),
            ("--input bad.jsonl", "bad.jsonl:2:6: expected a value, got '}'"),
            ("--input data.csv --format xml", "format must be one of lines, nul, csv, tsv, jsonl, not 'xml'"),
            ("--input data.csv --output data.csv", "--input and --output name the same file"),
            ("-0 --format csv", "-0 is --format nul"),
            ("--input data.csv -e 'work = print examples = print'", "which this one has"),
            ("--format csv -e 'work = print function examples() return 1 end'", "which this one has"),
        ])
    func mistakes(_ command: String, _ mistake: (options: String, message: String)) throws {
        let scratch = try Scratch(job: "function work() end function summarize() print('never') end")
        let files = [
            "bad.csv": "a,b\n1,2\n3\n", "open.csv": "a,b\n1,\"2\n3,4\n", "twice.csv": "a,a\n1,2\n",
            "bad.jsonl": "{}\n{\"a\":}\n", "data.csv": "a\n1\n",
        ]
        for (name, text) in files { try scratch.write(name, text) }
        let script = mistake.options.contains("-e") ? "" : "job.lua"
        let outcome = try run("sh -c", "\(command) \(mistake.options) \(script)", in: scratch)
        #expect(outcome.status == 2 && outcome.output == "", "\(outcome.output)")
        let lines = outcome.error.split(separator: "\n")
        #expect(lines.count { $0.contains(mistake.message) } == 1, "\(outcome.error)")
        #expect(scratch.read("data.csv") == "a\n1\n")
    }

    @Test("an imperative script is told that it is of no use, and --check what the examples are")
    func looks() throws {
        let scratch = try Scratch(job: Self.echo)
        try scratch.write("data.csv", "a\n1\n")
        let outcome = try run("dlp-lua --input data.csv -e", "print(1)", in: scratch)
        #expect(outcome.lines == ["1"] && outcome.error.contains("--input is of no use to a script without"))
        let checked = try run("dlp-lua --check --input data.csv job.lua", in: scratch)
        #expect(checked.lines == ["one example for each row of data.csv; the root sends them with the work"])
        let script = try run("dlp-lua --input - -", in: scratch, input: Self.echo)
        #expect(script.status == 2 && script.error.contains("cannot both be standard input"))
    }

    @Test("a journal knows the rows that are done, also when the file has grown", arguments: arrangements.prefix(3))
    func journal(_ arrangement: String) throws {
        let scratch = try Scratch(
            job: """
                function work(row)
                  assert(row.n ~= "3" or os.getenv("AGAIN"), "not yet")
                  local done <close> = io.open("done." .. row.n, "a")
                  done:write("x")
                  return tonumber(row.n) * 10
                end
                """)
        try scratch.write("table.csv", Self.table)
        let call = "\(arrangement) --journal run.db --on-error continue --input table.csv job.lua"
        #expect(try run(call, in: scratch).lines == ["10", "20", "null"])
        try scratch.write("table.csv", "n,text,name\n4,,e\n" + "3,\"\r\n\",d\n2,,\"b,c\"\n1,\"one\n\"\"two\"\"\",a\n")
        let again = try run("env AGAIN=1 \(call)", in: scratch)
        #expect(again.lines == ["40", "30", "20", "10"] && again.status == 0, "\(again.error)")
        #expect((1...4).map { scratch.read("done.\($0)") } == ["x", "x", "x", "x"], "no row is done twice")
    }

    @Test("the root alone reads what dlp.csv names, and its rows are examples on every rank", arguments: arrangements)
    func functions(_ arrangement: String) throws {
        // The other ranks do not find the file.
        let scratch = try Scratch(
            job: """
                function examples() return dlp.csv(dlp.IS_ROOT and "table.csv" or "/nowhere", {types = {n = "integer"}}) end
                function work(row, index) assert(row.n == index) return row end
                function collect(row, index, example) print(index, row.n == example.n and row.text) end
                function summarize(results) print(results.n, dlp.json.encode(results[1])) end
                """)
        try scratch.write("table.csv", "n,text\n" + (1...2000).map { "\($0),t\($0)\n" }.joined())
        let outcome = try run("\(arrangement) job.lua", in: scratch)
        #expect(outcome.error == "" && outcome.status == 0, "\(outcome.error)")
        #expect(outcome.lines.last == #"2000\#t{"n":1,"text":"t1"}"#)
        #expect(Set(outcome.lines.prefix(2000).map { String($0) }) == Set((1...2000).map { "\($0)\tt\($0)" }))
    }

    @Test("rows are handed out as they come, while the rest is still to come")
    func slow() throws {
        let scratch = try Scratch(
            job: """
                function work(row) return row.a end
                function collect(result, index)
                  if index == 2 then assert(io.open("go", "w")):close() end
                  print(index, #result)
                end
                """)
        // The third row comes only after the second has been collected.
        let writer = "printf 'a\\n1\\n\"2\\n\"\\n\"'; until [ -e go ]; do sleep 0.01; done; printf '3\"\\n'"
        let outcome = try run("sh -c", "(\(writer)) | dlp-lua -np 2 --format csv job.lua", in: scratch)
        #expect(outcome.lines.sorted() == ["1\t1", "2\t2", "3\t1"] && outcome.status == 0, "\(outcome.error)")
    }

    @Test("values that results cannot have had reach other ranks as they stand in the file")
    func bytes() throws {
        let scratch = try Scratch(
            job: #"function work(row) assert(row.a == "\xff\0" .. ("x"):rep(3000000)) return #row.a end"#)
        let text = Array("a\n".utf8) + [0xff, 0] + [UInt8](repeating: UInt8(ascii: "x"), count: 3_000_000)
        try scratch.write("data.csv", bytes: text)
        let outcome = try run("dlp-lua -np 2 --root-works no --input data.csv job.lua", in: scratch)
        #expect(outcome.lines == ["3000002"] && outcome.error == "")
    }
}
