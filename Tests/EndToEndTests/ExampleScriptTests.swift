import TestSupport
import Testing

/// The jobs that come with the program.
@Suite(.hangLimit)
struct ExampleScriptTests {
    private static let commands = [
        "dlp-lua", "ameexec -np 3 dlp-lua", "ameexec -np 3 dlp-lua --mode managed",
        "ameexec -np 3 dlp-lua --mode round-robin",
    ]

    /// A text with words in several scripts.
    private static let text = """
        The quick brown fox jumps over the lazy dog; the dog sleeps.
        Don't panic: Äpfel und Birnen, äpfel und Birnen.

        THE END of the story\r
        42 times 42 is 1764
        """

    /// A small package index with alternatives, a virtual package, a cycle and a dependency that is missing.
    private static let index = """
        Package: base
        Version: 1

        Package: library
        Depends: base (>= 1), missing
        Provides: api (= 2)

        Package: tool
        Pre-Depends: base
        Depends: api | other, library:any

        Package: chicken
        Depends: egg

        Package: egg
        Depends: chicken, tool

        """

    /// Runs an example under the stock interpreter and under dlp-lua.
    private func compare(_ words: String, _ command: String, input: String = "", in scratch: Scratch) throws {
        let expected = try run("lua5.4 \(Program.scripts)/reference.lua \(words)", in: scratch, input: input)
        try #require(expected.status == 0 && expected.output != "", "\(expected.error)")
        let outcome = try run("\(command) \(words)", in: scratch, input: input)
        #expect(outcome.output == expected.output)
        #expect(outcome.error == "" && outcome.status == 0)
    }

    @Test("square.lua", arguments: commands)
    func square(_ command: String) throws { try compare(Program.example("square.lua"), command, in: Scratch()) }

    @Test("pi.lua", arguments: commands)
    func pi(_ command: String) throws { try compare("\(Program.example("pi.lua")) 500 60", command, in: Scratch()) }

    @Test(
        "evolution.lua and tolerance.lua",
        arguments: commands + ["ameexec -np 7 dlp-lua --chunk 1", "ameexec -np 2 dlp-lua"])
    func untilEnough(_ command: String) throws {
        for words in ["evolution.lua 12", "tolerance.lua 0.02"] {
            try compare(Program.example(words), command, in: Scratch())
        }
    }

    @Test("wordcount.lua", arguments: commands)
    func wordcount(_ command: String) throws {
        try compare(Program.example("wordcount.lua"), command, input: Self.text, in: Scratch())
    }

    @Test("packages.lua", arguments: commands)
    func packages(_ command: String) throws {
        let scratch = try Scratch()
        try scratch.write("Packages", Self.index)
        try compare("\(Program.example("packages.lua")) Packages", command, in: scratch)
    }

    @Test("compress.lua", arguments: commands)
    func compress(_ command: String) throws {
        let scratch = try Scratch()
        for (name, text) in [("it's", Self.text), ("$x", Self.index)] {
            try scratch.write(name, String(repeating: text, count: 99))
        }
        try compare("\(Program.example("compress.lua")) it's $x", command, in: scratch)
    }

    @Test("digits.lua finds the digits that scikit-learn finds, as its plain loop does")
    func digits() throws {
        let job = Program.example("digits.lua")
        let expected = try run("lua5.4 \(Program.scripts)/reference.lua \(job)")
        #expect(expected.lines.first == "accuracy 0.9889 (1777 of 1797), k = 3, Euclidean")
        // Also with NumPy from Debian.
        for job in [job, Program.example("digits_numpy.lua")] {
            let outcome = try run("ameexec -np 2 dlp-lua \(job)", environment: ["PYTHON": "/usr/bin/python3"])
            #expect(outcome.output == expected.output)
            #expect(outcome.error == "" && outcome.status == 0, "\(outcome.error)")
        }
    }

    @Test("bootstrap.lua finds what R finds by itself", arguments: ["dlp-lua", "ameexec -np 2 dlp-lua"])
    func bootstrap(_ command: String) throws {
        let outcome = try run("\(command) \(Program.example("bootstrap.lua"))")
        #expect(outcome.output == "mpg by weight: -5.416 on average of 1000 samples, 95 % between -6.954 and -4.076\n")
        #expect(outcome.error == "" && outcome.status == 0, "\(outcome.error)")
    }

    /// The imperative examples, with their sorted output on `size` ranks.
    static let imperativeScripts: [(script: String, lines: @Sendable (_ size: Int) -> [String])] = [
        ("1_rank_and_size", { size in (0..<size).map { "rank=\($0), size=\(size)" } }),
        (
            "2_broadcast_data",
            { size in (0..<size).map { "rank=\($0), size=\(size), numbers: 7 2.72 1e+300, words: abc xyz" } }
        ),
        (
            "3_gather_data",
            { size in
                (0..<size).map { rank in
                    let words = (["hello", "world"] + Array(repeating: "!", count: size)).prefix(size)
                    return "rank=\(rank), size=\(size), gathered: \(rank == 0 ? words.joined(separator: " ") : "nil")"
                }
            }
        ),
        (
            "4_scatter_gather",
            { size in
                (0..<4).map { "rank=\($0 % size), size=\(size), element=\(10 + $0)" } + ["results: 20 22 24 26"]
            }
        ),
        ("6_split_managed", { _ in ["longest: from 6171, 261 steps"] }),
        ("7_stages", { _ in [stages] }),
    ]

    private static let stages = "the power whose curve encloses three quarters: 1.8 (0.752)"

    @Test("the imperative examples", arguments: imperativeScripts.map(\.script), [0, 1, 3])
    func imperative(_ script: String, _ size: Int) throws {
        let start = size == 0 ? "dlp-lua" : "ameexec -np \(size) dlp-lua"
        let outcome = try run("\(start) \(Program.example("imperative/\(script).lua"))")
        let expected = try #require(Self.imperativeScripts.first { $0.script == script }).lines(max(size, 1))
        #expect(outcome.lines.sorted() == expected.sorted())
        #expect(outcome.error == "" && outcome.status == 0)
    }

    @Test("7_stages goes on with its journal, on any number of ranks")
    func journaledStages() throws {
        let scratch = try Scratch()
        let script = Program.example("imperative/7_stages.lua")
        for start in ["ameexec -np 3 dlp-lua --stop-after 0.01", "ameexec -np 3 dlp-lua", "dlp-lua"] {
            let outcome = try run("\(start) --journal stages.db \(script)", in: scratch)
            let isStopped = start.contains("--stop-after")
            #expect(
                outcome.status == (isStopped ? 5 : 0) && outcome.lines == (isStopped ? [] : [Self.stages]), "\(outcome)"
            )
        }
        #expect(try run("dlp-lua --results stages.db --stage thorough", in: scratch).lines.count == 5)
    }

    @Test("5_map_unordered brings all letters to the root", arguments: [0, 1, 3])
    func mapUnordered(_ size: Int) throws {
        let start = size == 0 ? "dlp-lua" : "ameexec -np \(size) dlp-lua"
        let outcome = try run("\(start) \(Program.example("imperative/5_map_unordered.lua"))")
        #expect(outcome.lines.contains("result: hello"))
        let done = outcome.lines.filter { $0.hasPrefix("rank ") }.compactMap { $0.split(separator: " ").last }
        #expect(done.sorted() == ["1", "2", "3", "4", "5"])
        #expect(outcome.error == "" && outcome.status == 0)
    }
}
