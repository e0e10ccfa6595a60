import DLP
import Glibc
import TestSupport
import Testing

@testable import Report

@Suite("Result files")
struct ResultWriterTests {
    /// Returns the contents of a file with that ending for these results; nil is an example without a result.
    private func written(_ ending: String, _ results: [Value?]) throws -> String {
        let directory = try TemporaryDirectory()
        var writer = try ResultWriter(path: directory.file("out.\(ending)"))
        for (index, result) in results.enumerated() {
            if let result { try writer.append(index: index, item: try result.encoded()) }
        }
        try writer.finish(count: results.count)
        return try #require(directory.read("out.\(ending)"))
    }

    private func text(_ string: String) -> Value { .text(string) }

    @Test("JSON Lines have one result per line, null where there is none")
    func jsonLines() throws {
        let results: [Value?] = [.integer(1), nil, .null, .array([.text("a\nb"), .double(0.5)]), nil]
        #expect(try written("jsonl", results) == "1\nnull\nnull\n[\"a\\nb\",0.5]\nnull\n")
        #expect(try written("jsonl", []) == "")
    }

    @Test("what is wanted of each example stands beside its result, in the order in which it is wanted")
    func fields() throws {
        let directory = try TemporaryDirectory()
        var facts = ExampleFacts()
        (facts.seconds, facts.peak, facts.host) = (0.5, 1 << 40, "a,\"b\"")
        facts.started = ExampleFacts.time(0.25)
        for ending in ["jsonl", "json", "csv"] {
            var writer = try ResultWriter(path: directory.file("out.\(ending)"))
            writer.fields = [.peak, .host, .seconds, .started]
            writer.numbers = [3, 5, 8]
            let result = Value.map([(.text("seconds"), .integer(7))])
            try writer.append(index: 0, item: try result.encoded(), facts)
            try writer.append(index: 2, item: try result.encoded())
            try writer.finish(count: 3)
        }
        let facing = #""peak":1099511627776,"host":"a,\"b\"","seconds":0.5,"started":"1970-01-01T00:00:00.250Z""#
        let nothing = #""peak":null,"host":null,"seconds":null,"started":null"#
        let lines = [
            #"{"index":3,"result":{"seconds":7},\#(facing)}"#, #"{"index":5,"result":null,\#(nothing)}"#,
            #"{"index":8,"result":{"seconds":7},\#(nothing)}"#,
        ]
        #expect(directory.read("out.jsonl") == lines.joined(separator: "\n") + "\n")
        #expect(directory.read("out.json") == "[\n" + lines.joined(separator: ",\n") + "\n]\n")
        #expect(
            directory.read("out.csv")
                == "index,seconds,peak,host,_seconds,started\r\n"
                + "3,7,1099511627776,\"a,\"\"b\"\"\",0.5,1970-01-01T00:00:00.250Z\r\n5,,,,,\r\n8,7,,,,\r\n")
    }

    @Test(
        "fields are named once each, and no others are known",
        arguments: [
            ("seconds", [.seconds]), ("peak,rank,host", [.peak, .rank, .host]), ("", nil), ("seconds,", nil),
            ("seconds,seconds", nil), ("Seconds", nil), ("seconds, cpu", nil), ("speed", nil),
        ] as [(String, [ResultField]?)])
    func fieldNames(text: String, fields: [ResultField]?) { #expect(ResultField.list(text) == fields) }

    @Test("JSON is one array")
    func json() throws {
        #expect(try written("json", [.integer(1), nil, .text("x")]) == "[\n1,\nnull,\n\"x\"\n]\n")
        #expect(try written("json", []) == "[]\n")
    }

    @Test("the ending counts, not its case")
    func upperCase() throws { #expect(try written("JSONL", [.integer(1)]) == "1\n") }

    @Test("a table of single values has the column result")
    func single() throws {
        let results: [Value?] = [
            .integer(12), nil, .text("a,b"), .text("say \"hi\""), .text("two\r\nlines"), .text(""), .bool(true),
            .array([.integer(1), .text("x")]), .text("tab\t\u{1}é\\"),
        ]
        #expect(
            try written("csv", results)
                == "index,result\r\n1,12\r\n2,\r\n3,\"a,b\"\r\n4,\"say \"\"hi\"\"\"\r\n5,\"two\r\nlines\"\r\n6,\"\"\r\n"
                + "7,true\r\n8,\"[1,\"\"x\"\"]\"\r\n9,tab\t\u{1}é\\\r\n")
        #expect(try written("csv", []) == "index,result\r\n")
        #expect(try written("csv", [.array([]), nil]) == "index,result\r\n1,[]\r\n2,\r\n")
        #expect(
            try written("csv", [.array([.integer(1)]), .map([(.text("a"), .integer(2))])])
                == "index,result\r\n1,[1]\r\n2,\"{\"\"a\"\":2}\"\r\n")
    }

    @Test("a table of maps has the union of their keys, sorted, integers first")
    func maps() throws {
        let results: [Value?] = [
            .map([(.text("loss"), .double(0.25)), (.integer(10), .integer(1)), (.integer(9), .null)]),
            nil,
            .array([]),
            .map([
                (.text("a,b"), .map([(.text("x"), .array([.integer(1), .integer(2)]))])), (.text("loss"), .text("")),
            ]),
        ]
        #expect(
            try written("csv", results)
                == "index,9,10,\"a,b\",loss\r\n1,,1,,0.25\r\n2,,,,\r\n3,,,,\r\n4,,,\"{\"\"x\"\":[1,2]}\",\"\"\r\n")
    }

    @Test("keys that look alike but are not the same have columns of their own")
    func composedKeys() throws {
        let results: [Value?] = [.map([(.text("\u{e9}"), .integer(1)), (.text("e\u{301}"), .integer(2))])]
        #expect(Array(try written("csv", results).utf8) == Array("index,e\u{301},\u{e9}\r\n1,2,1\r\n".utf8))
    }

    @Test("a table of arrays has as many columns as the longest")
    func arrays() throws {
        let results: [Value?] = [
            .array([.integer(1)]), nil, .array([.text("]["), .null, .map([(.text("k,"), .integer(2))])]), .map([]),
        ]
        #expect(
            try written("csv", results)
                == "index,1,2,3\r\n1,1,,\r\n2,,,\r\n3,][,,\"{\"\"k,\"\":2}\"\r\n4,,,\r\n")
    }

    @Test("more than a buffer of results is complete", arguments: ["jsonl", "csv"])
    func large(ending: String) throws {
        let text = try written(ending, (0..<30_000).map { .integer($0) })
        let lines = text.utf8.split(separator: UInt8(ascii: "\n"))
        #expect(lines.count == (ending == "csv" ? 30_001 : 30_000))
        #expect(lines.last.flatMap { String($0) } == (ending == "csv" ? "30000,29999\r" : "29999"))
    }

    @Test("a result that has no JSON text is named", arguments: ["jsonl", "csv"])
    func unwritable(ending: String) throws {
        let directory = try TemporaryDirectory()
        let path = directory.file("out.\(ending)")
        let cycle = Bytes([0xd8, 28, 0x81, 0xd8, 29, 0])
        let said = message {
            var writer = try ResultWriter(path: path)
            try writer.append(index: 16, item: cycle)
        }
        #expect(said == "result of example 17: a value that contains itself cannot be written as JSON")
    }

    @Test(
        "null takes the place of a result that has no JSON text",
        arguments: [
            ("jsonl", "1\nnull\n3\n"), ("json", "[\n1,\nnull,\n3\n]\n"),
            ("csv", "index,result\r\n1,1\r\n2,\r\n3,3\r\n"),
        ])
    func replaced(ending: String, text: String) throws {
        let directory = try TemporaryDirectory()
        var writer = try ResultWriter(path: directory.file("out.\(ending)"))
        try writer.append(index: 0, item: Bytes([1]))
        #expect(throws: ReportError.self) { try writer.append(index: 1, item: Bytes([0xd8, 28, 0x81, 0xd8, 29, 0])) }
        try writer.append(index: 2, item: Bytes([3]))
        try writer.finish(count: 3)
        #expect(try #require(directory.read("out.\(ending)")) == text)
    }

    @Test("an ending that says no format is refused", arguments: ["out", "out.txt", "a.csv/out", ".json.", "", "json"])
    func unknownFormat(path: String) {
        #expect(
            message { _ = try ResultFormat(path: path) }
                == "cannot tell the format of \(path): give the output file a name in .jsonl, .json or .csv")
    }

    @Test("a file that cannot be written is refused at once")
    func unwritableFile() throws {
        let directory = try TemporaryDirectory()
        let missing = directory.file("none/out.csv")
        #expect(
            message { let _ = try ResultWriter(path: missing) }
                == "cannot write the results to \(missing): No such file or directory")
    }

    @Test(
        "a file takes its place when it is complete, and what was there stays until then",
        arguments: ResultFormat.allCases)
    func whole(format: ResultFormat) throws {
        let directory = try TemporaryDirectory()
        let path = directory.file("out.\(format.rawValue)")
        let old = open(path, O_WRONLY | O_CREAT, 0o640)
        try #require(old >= 0 && write(old, "precious", 8) == 8)
        close(old)
        var writer = try ResultWriter(path: path)
        try writer.append(index: 0, item: Bytes([1]))
        try writer.flush()
        #expect(try #require(directory.read("out.\(format.rawValue)")) == "precious")
        try writer.finish(count: 1)
        let expected: [ResultFormat: String] = [.jsonLines: "1\n", .json: "[\n1\n]\n", .csv: "index,result\r\n1,1\r\n"]
        #expect(directory.read("out.\(format.rawValue)") == expected[format])
        var status = stat()
        #expect(stat(path, &status) == 0 && status.st_mode & 0o777 == 0o640)
        #expect(stat("\(path).partial", &status) != 0)
    }

    @Test("what is not complete is beside its place, and can be read all the same", arguments: ResultFormat.allCases)
    func partial(format: ResultFormat) throws {
        let directory = try TemporaryDirectory()
        let name = "out.\(format.rawValue)"
        var writer = try ResultWriter(path: directory.file(name))
        try writer.append(index: 0, item: Bytes([1]))
        let partial = writer.abandon()
        #expect(partial == directory.file("\(name).partial"))
        let expected: [ResultFormat: String] = [.jsonLines: "1\n", .json: "[\n1\n]\n", .csv: "index,result\r\n1,1\r\n"]
        #expect(directory.read("\(name).partial") == expected[format])
        var status = stat()
        #expect(stat(directory.file(name), &status) != 0)

        let nothing = try ResultWriter(path: directory.file("none.\(format.rawValue)"))
        let none = nothing.abandon()
        #expect(none == nil && stat(directory.file("none.\(format.rawValue).partial"), &status) != 0)
    }

    @Test("what a link leads to is replaced, and the link stays")
    func link() throws {
        let directory = try TemporaryDirectory()
        try #require(symlink("target.json", directory.file("out.json")) == 0)
        let target = open(directory.file("target.json"), O_WRONLY | O_CREAT, 0o644)
        try #require(target >= 0)
        close(target)
        var writer = try ResultWriter(path: directory.file("out.json"))
        try writer.append(index: 0, item: Bytes([1]))
        try writer.finish(count: 1)
        var status = stat()
        #expect(lstat(directory.file("out.json"), &status) == 0 && status.st_mode & S_IFMT == S_IFLNK)
        #expect(try #require(directory.read("target.json")) == "[\n1\n]\n")
    }

    @Test("no column of a table has the name of another")
    func columnNames() throws {
        for (keys, header) in [
            (["n"], "index,n"), (["index"], "example,index"), (["example", "index"], "_example,example,index"),
        ] {
            let row = Value.map(keys.map { (.text($0), .integer(7)) })
            #expect(try written("csv", [row]).hasPrefix("\(header)\r\n1,7"))
        }
    }

    @Test("a full disk is reported", arguments: ResultFormat.allCases)
    func fullDisk(format: ResultFormat) throws {
        let descriptor = open("/dev/full", O_WRONLY)
        try #require(descriptor >= 0)
        defer { close(descriptor) }
        let said = message {
            var writer = ResultWriter(descriptor: descriptor, name: "the file", format: format)
            try writer.append(index: 0, item: try Value.integer(1).encoded())
            try writer.finish(count: 1)
        }
        #expect(said == "cannot write the results to the file: No space left on device")
    }
}
