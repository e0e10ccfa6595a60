import TestSupport
import Testing

/// The messages for the user when a script fails.
@Suite(.hangLimit)
struct ErrorTests {
    /// A place where a script can fail: the script with `FAIL` in line 3, which fails once, and the message.
    struct Place: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var script: String
        var says: [String] = []
    }

    private static let places = [
        Place(testDescription: "top level", script: "\n\nFAIL"),
        Place(
            testDescription: "examples", script: "function work() end\nfunction examples()\nFAIL\nend",
            says: ["examples()"]),
        Place(
            testDescription: "setup",
            script: "function work() end function examples() return 9 end\nfunction setup()\nFAIL\nend",
            says: ["setup()"]),
        Place(
            testDescription: "work",
            script: "function examples() return 50 end\nfunction work(n) if n ~= 17 then return n end\nFAIL\nend",
            says: ["example 17"]),
        Place(
            testDescription: "a function that work calls",
            script:
                "local function inner(n)\nif n ~= 17 then return n end\nFAIL\nend\nfunction examples() return 50 end function work(n) return (inner(n)) end",
            says: ["example 17", "in function 'work'"]),
        Place(
            testDescription: "collect",
            script:
                "function examples() return 50 end function work(n) return n end\nfunction collect(_, n) if n ~= 17 then return end\nFAIL\nend",
            says: ["collect", "example 17"]),
        Place(
            testDescription: "summarize",
            script: "function examples() return 5 end function work() end\nfunction summarize()\nFAIL\nend",
            says: ["summarize()"]),
        Place(
            testDescription: "an iterator",
            script:
                "function work(n) return n end function examples() local i = 0 return function() i = i + 1 if i < 17 then return i end\nbeyond = true\nFAIL\nend end",
            says: [":3:"]),
    ]

    private static let values: [(statement: String, says: String)] = [
        ("error('boom')", "job.lua:3: boom"), ("error('no position', 0)", "no position"),
        ("local x = nil + 1", "job.lua:3: attempt to"),
        ("error({code = 7})", "table"), ("error()", "nil"),
        ("error(setmetatable({}, {__tostring = function() return 'spoken' end}))", "spoken"),
    ]

    @Test(
        "a collective where the other ranks do not come by is an error, not a hang",
        arguments: [
            "function setup() dlp.barrier() end", "function work() dlp.gather(1) end",
            "function collect() dlp.allgather(1) end", "function summarize() dlp.bcast(1) end",
            "function examples() local i = 0 return function() i = i + 1 dlp.barrier() return i < 4 and i or nil end end",
            "dlp.options = {examples = 'root'} function examples() dlp.barrier() return 3 end",
        ],
        ["map", "managed", "round-robin"])
    func lonelyCollective(_ function: String, _ mode: String) throws {
        let scratch = try Scratch(job: "function examples() return 3 end function work(n) return n end \(function)")
        for command in ["ameexec -np 4 dlp-lua", "ameexec -np 2 dlp-lua --root-works no"] {
            let outcome = try run("\(command) --mode \(mode) job.lua", in: scratch)
            #expect(
                outcome.complaints.count == 1 && outcome.error.contains("the other ranks do not come by"),
                "\(outcome.error)")
            #expect(outcome.status == 1)
        }
    }

    @Test(
        "a failure is one message that says where and what", arguments: places, values)
    func failure(_ place: Place, _ value: (statement: String, says: String)) throws {
        let scratch = try Scratch(job: place.script.replacing("FAIL", with: value.statement))
        for command in ["dlp-lua", "ameexec -np 3 dlp-lua"] {
            let outcome = try run("\(command) job.lua", in: scratch)
            #expect(outcome.isOneMessage("dlp-lua", with: value.says), "\(command): \(outcome.error)")
            #expect(place.says.allSatisfy { outcome.error.contains($0) }, "\(command): \(outcome.error)")
            #expect(
                outcome.tracebackCount == 1 && outcome.error.contains("job.lua:3: in"), "\(command): \(outcome.error)")
            #expect(outcome.error.contains("rank ") == (command != "dlp-lua"), "\(command): \(outcome.error)")
            #expect(outcome.status == 1)
        }
    }

    @Test(
        "work that fails is one message in every mode, whoever does it",
        arguments: ["map", "managed", "round-robin"],
        ["", " --root-works no", " --examples root", " --root-works no --examples root"])
    func modes(_ mode: String, _ others: String) throws {
        let scratch = try Scratch(
            job: "function examples() return 500 end function work(n) if n % 100 == 0 then error('boom') end end")
        let outcome = try run("ameexec -np 3 dlp-lua --mode \(mode)\(others) job.lua", in: scratch)
        #expect(
            outcome.isOneMessage("dlp-lua", with: "example ", "00 failed on rank ", "job.lua:1: boom"),
            "\(outcome.error)")
        #expect(outcome.status == 1)
    }

    @Test(
        "a syntax error is one message with its line", arguments: ["dlp-lua", "ameexec -np 3 dlp-lua", "dlp-lua -np 3"])
    func syntax(_ command: String) throws {
        let scratch = try Scratch(job: "\nfunction work(\n\n")
        let outcome = try run("\(command) job.lua", in: scratch)
        #expect(outcome.isOneMessage("dlp-lua", with: "job.lua:", "near <eof>"), "\(outcome.error)")
        #expect(outcome.status == 1 && outcome.output == "")
    }

    @Test(
        "a rank of an imperative script that fails ends the others, wherever they wait", arguments: [0, 1, 2],
        [
            "dlp.barrier()", "dlp.gather(1)", "dlp.bcast(1)", "os.execute('sleep 60')",
            "for _ in dlp.split_managed({1, 2, 3}) do end",
        ])
    func imperative(_ rank: Int, _ wait: String) throws {
        let scratch = try Scratch(job: "if dlp.RANK == \(rank) then\n\nerror('boom')\nend\n\(wait)\ndlp.barrier()")
        let outcome = try run("ameexec -np 3 dlp-lua job.lua", in: scratch)
        #expect(outcome.isOneMessage("dlp-lua", with: "rank \(rank)", "job.lua:3: boom"), "\(outcome.error)")
        #expect(outcome.status == 1)
    }

    @Test(
        "a result that cannot travel is named by its path",
        arguments: [
            ("{model = {loss = print}}", ".model.loss is a function"), ("{{}, {io.stdout}}", "[2][1] is a userdata"),
            ("{[1.5] = coroutine.create(print)}", "[1.5] is a thread"), ("print", "is a function"),
        ], ["dlp-lua", "ameexec -np 3 dlp-lua", "ameexec -np 3 dlp-lua --mode round-robin"])
    func path(_ result: (text: String, says: String), _ command: String) throws {
        let scratch = try Scratch(
            job: "function examples() return 9 end function work(n) return n == 4 and \(result.text) or n end")
        let outcome = try run("\(command) job.lua", in: scratch)
        #expect(outcome.isOneMessage("dlp-lua", with: "result of example 4", result.says), "\(outcome.error)")
        #expect(!outcome.error.contains("  "), "no gap where a path would stand: \(outcome.error)")
        #expect(outcome.status == 1)
    }

    @Test(
        "a result that JSON cannot hold is an error of the script that names the example",
        arguments: [
            "local t = {} t.me = t return t", "local t = {} for _ = 1, 100000 do t = {t} end return t",
            "return {[1] = 1, ['1'] = 2}",
            "return {[{}] = 1}",
        ], ["dlp-lua", "ameexec -np 3 dlp-lua"])
    func unwritable(_ work: String, _ command: String) throws {
        let scratch = try Scratch(
            job: "function examples() return 9 end function work(n) if n ~= 4 then return n end \(work) end")
        let outcome = try run("\(command) job.lua", in: scratch)
        #expect(outcome.isOneMessage("dlp-lua", with: "example 4", "JSON"), "\(outcome.error)")
        #expect(outcome.status == 1)
    }

    @Test("examples must be a table, a number or an iterator", arguments: ["'text'", "nil", "-1", "1.5", "true"])
    func badExamples(_ value: String) throws {
        let scratch = try Scratch(job: "function examples() return \(value) end function work(n) return n end")
        for command in ["dlp-lua", "ameexec -np 3 dlp-lua"] {
            let outcome = try run("\(command) job.lua", in: scratch)
            #expect(outcome.isOneMessage("dlp-lua", with: "examples"), "\(outcome.error)")
            #expect(outcome.status == 1)
        }
    }

    @Test(
        "a stack overflow and a lack of memory in work are ordinary errors",
        arguments: ["return (n + f(n))", "return ('x'):rep(1 << 40)"])
    func exhaustion(_ body: String) throws {
        let scratch = try Scratch(job: "function f(n) \(body) end function examples() return 3 end work = f")
        for command in ["dlp-lua", "ameexec -np 3 dlp-lua"] {
            let outcome = try run("\(command) job.lua", in: scratch)
            #expect(outcome.error.hasPrefix("dlp-lua: example "), "\(outcome.error)")
            #expect(!outcome.error.contains("Fatal error") && outcome.status == 1)
        }
    }

    /// The statement that makes the list in `examples()`, and the message about its second example.
    private static let given = [
        ("return {'a.csv', 'b.csv'}", "example 2 failed, given \"b.csv\": "), ("return 2", "example 2 failed: "),
        (
            "debug.setmetatable(0, {__tostring = function() return '' end}) return {1.5, {lr = 0.1, name = true}}",
            "example 2 failed, given {lr = 0.1, name = true}: "
        ),
        ("return {1.5, {lr = 0.1, name = 'x'}}", "example 2 failed, given {lr = 0.1, name = \"x\"}: "),
        ("return {0, 'a\\nb\\27[2J' .. ('x'):rep(1000)}", #"example 2 failed, given "a\nb\x1b[2Jxxx"#),
        (
            "local i = 0 return function() i = i + 1 return i < 3 and 'it' .. i or nil end",
            "example 2 failed, given \"it2\": "
        ),
    ]

    @Test(
        "an error in work names the value of its example, shortened", arguments: given,
        ["", "--examples root", "--chunk 2"])
    func value(_ examples: (text: String, says: String), _ option: String) throws {
        let scratch = try Scratch(
            job:
                "function examples() \(examples.text) end local n = 0 function work(e, i) if i == 2 then error('boom') end return 1 end"
        )
        for policy in ["--on-error stop", "--on-error continue"] {
            let outcome = try run("dlp-lua \(policy) \(option) job.lua", in: scratch)
            let says =
                examples.text == "return 2" && option == "--examples root"
                ? "example 2 failed, given 2: " : examples.says
            #expect(
                outcome.error.contains("dlp-lua: \(says)") && outcome.error.contains("job.lua:1: boom"),
                "\(outcome.error)")
            #expect(outcome.error.split(separator: "\n").allSatisfy { $0.utf8.count < 250 })
        }
        let ranks = try run("ameexec -np 3 dlp-lua \(option) job.lua", in: scratch)
        #expect(
            ranks.error.contains("example 2 failed on rank ") && ranks.error.contains("job.lua:1: boom"),
            "\(ranks.error)")
        let value = examples.says.split(separator: "given ").dropFirst().first ?? ""
        #expect(ranks.error.contains(value), "\(ranks.error)")
    }

    @Test("results.errors has their number, which is no entry of it")
    func number() throws {
        let scratch = try Scratch(
            job: """
                function examples() return 10 end
                function work(n) if n % 3 == 0 then error("boom") end return n end
                function summarize(results)
                  local count = 0
                  for i, failure in pairs(results.errors) do count = count + (failure.message and 1) end
                  print(results.errors.n, count)
                end
                """)
        let outcome = try run("dlp-lua --on-error continue job.lua", in: scratch)
        #expect(outcome.output == "3\t3\n" && outcome.status == 4, "\(outcome.error)")
    }
}
