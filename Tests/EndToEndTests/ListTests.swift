import TestSupport
import Testing

/// Examples on the command line, after `:::` and similar marks.
@Suite("Lists", .hangLimit)
struct ListTests {
    private static let echo = "function work(example) return example end"

    @Test(
        "lists are the examples of a script, alone, combined or linked",
        arguments: ["dlp-lua job.lua", "dlp-lua -np 3 --mode round-robin job.lua", "ameexec -np 2 dlp-lua job.lua"],
        [
            ("::: a -x :b", ["\"a\"", "\"-x\"", "\":b\""]), (":::", []),
            ("::: a b ::: 1 2", [#"["a","1"]"#, #"["a","2"]"#, #"["b","1"]"#, #"["b","2"]"#]),
            ("::: a b :::+ 1 2 3 ::: x", [#"["a","1","x"]"#, #"["b","2","x"]"#]),
            ("::: a ::: 1 2 ::::+ two", [#"["a","1","x y"]"#, #"["a","2","z"]"#]),
            (":::: one", ["\"a\"", "\"\"", "\"b\""]), (":::: two two ::: a", Self.twice), ("::: a :::", []),
        ])
    func lists(_ arrangement: String, _ list: (String, [String])) throws {
        let scratch = try Scratch(job: Self.echo)
        try scratch.write("one", "a\n\nb\n")
        try scratch.write("two", "x y\nz")
        let outcome = try run("\(arrangement) \(list.0)", in: scratch)
        #expect(outcome.lines == list.1 && outcome.error == "" && outcome.status == 0, "\(outcome.error)")
    }

    private static let twice = [
        #"["x y","x y","a"]"#, #"["x y","z","a"]"#, #"["z","x y","a"]"#, #"["z","z","a"]"#,
    ]

    @Test("words keep every byte, and are no arguments of the script")
    func words() throws {
        let script =
            "function work(e) return e .. '|' .. #arg .. arg[1] end function summarize(r) print(table.concat(r, ';')) end"
        let scratch = try Scratch(job: script)
        let hostile = ["a b", "", "'\"$(touch x)`touch y`", "l\nf", "--mode", "*", "\\"]
        let outcome = try Launched(["dlp-lua", "-np", "2", "job.lua", "own", ":::"] + hostile, in: scratch).finish()
        #expect(outcome.output == hostile.map { "\($0)|1own" }.joined(separator: ";") + "\n")
        #expect(outcome.error == "")
        try scratch.write(
            "bytes.sh", "exec dlp-lua -e 'function work(e) return {e:byte(1, -1)} end' ::: \"$(printf '\\377 ')\"")
        #expect(try run("bash bytes.sh", in: scratch).lines == ["[255,32]"])
    }

    @Test("standard input is a list, by lines or by NUL")
    func standardInput() throws {
        let scratch = try Scratch(job: Self.echo)
        let lines = try run("dlp-lua -np 2 job.lua :::: - ::: 1", in: scratch, input: "x\ny")
        #expect(lines.lines == [#"["x","1"]"#, #"["y","1"]"#] && lines.error == "")
        #expect(try run("dlp-lua -0 job.lua :::: -", in: scratch, input: "x\ny\0z").lines == [#""x\ny""#, "\"z\""])
    }

    @Test("a journal knows the examples, whatever the list has besides")
    func journal() throws {
        let scratch = try Scratch(job: "function work(e) io.stderr:write(e) return e end")
        #expect(try run("dlp-lua --journal j job.lua ::: a b", in: scratch).error == "ab")
        let longer = try run("dlp-lua --journal j job.lua ::: c b a d", in: scratch)
        #expect(longer.error == "cd" && longer.lines == ["\"c\"", "\"b\"", "\"a\"", "\"d\""])
    }

    @Test(
        "what cannot be is said once, and nothing is done", arguments: ["dlp-lua", "ameexec -np 3 dlp-lua"],
        [
            ("job.lua :::+ a", ":::+ goes with a list before it"),
            ("job.lua :::: none", "cannot open none: No such file"),
            ("job.lua ::: a ::::", ":::: wants a file with an example on each line"),
            ("--input one job.lua ::: a", "those of --input or those behind :::, not both"),
            ("--format csv job.lua :::: one", "for csv say --input"),
            ("job.lua :::: - -", "standard input can be read only once"),
            ("- :::: -", "standard input can be read only once"), ("--info ::: a", "for a job, which is not asked for"),
            ("--examples replicate job.lua ::: a", "leave --examples replicate out"),
            ("-e work=print;examples=print ::: a", "for scripts without a function examples, which (command line) has"),
            ("-e x=1 ::: a", "for a function work, which (command line) does not have"),
            ("::: a", "no script was given"),
        ])
    func refusals(_ arrangement: String, _ mistake: (words: String, message: String)) throws {
        let scratch = try Scratch(job: Self.echo)
        try scratch.write("one", "a\n")
        let outcome = try run("\(arrangement) \(mistake.words)", in: scratch)
        let lines = outcome.error.split(separator: "\n").filter { $0.contains(mistake.message) }
        #expect(lines.count == 1 && outcome.status == 2 && outcome.output == "", "\(outcome.error)")
    }
}
