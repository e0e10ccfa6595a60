import DLP
import Testing

@testable import Arguments

/// How the words of a command line are parsed.
struct ParsedArgumentsTests {
    private static let options = [
        Option("-np", "-n", value: "N", help: "", joinsNumbers: true), Option("-e", value: "CHUNK", help: ""),
        Option("--mode", value: "MODE", help: ""), Option("--journal", value: "FILE", help: ""),
        Option("--keep", help: ""), Option("--help", "-h", help: ""), Option("--secret", help: "", isHidden: true),
    ]

    /// The value that `name` was last given; empty for a switch, nil where it was not given.
    private func value(_ name: String, _ parsed: ParsedArguments, of options: [Option] = Self.options) -> SystemString?
    {
        parsed.given.last { options[$0.index].name == name }?.value
    }

    private func parse(_ words: SystemString...) throws(ArgumentError) -> ParsedArguments {
        try ParsedArguments(words, options: Self.options)
    }

    private func mistake(_ words: SystemString...) -> String? {
        do throws(ArgumentError) { _ = try ParsedArguments(words, options: Self.options) } catch {
            return error.message
        }
        return nil
    }

    @Test(
        "a value follows its option, joined by = or as the next word",
        arguments: [["--mode", "map", "job.lua"], ["--mode=map", "job.lua"], ["--mode", "map", "--", "job.lua"]])
    func values(_ words: [SystemString]) throws {
        let parsed = try ParsedArguments(words, options: Self.options)
        #expect(value("--mode", parsed) == "map" && value("--keep", parsed) == nil)
        #expect(Array(parsed.rest) == ["job.lua"] && parsed.isEndMarked == words.contains("--"))
    }

    @Test("values may be empty, begin with a dash, or have an = in them")
    func oddValues() throws {
        let parsed = try parse("--mode=", "-e", "-1", "--journal", "a=b", "-n=3", "-np", "--what", "x")
        #expect(value("--mode", parsed) == "" && value("-e", parsed) == "-1" && value("--journal", parsed) == "a=b")
        #expect(parsed.given.map { $0.value } == ["", "-1", "a=b", "3", "--what"])
        #expect(value("-np", parsed) == "--what" && Array(parsed.rest) == ["x"])
    }

    @Test("a number may follow -np at once", arguments: ["-np4", "-n4", "-np=4"])
    func joined(_ word: SystemString) throws { #expect(value("-np", try parse(word, "x")) == "4") }

    @Test(
        "a value that may be left out is one of its words, or what it means without",
        arguments: [
            (["--encrypt", "x"], "yes"), (["--encrypt", "no", "x"], "no"), (["--encrypt=no", "x"], "no"),
            (["--encrypt", "--keep", "x"], "yes"), (["--encrypt", "--", "x"], "yes"),
        ] as [([SystemString], SystemString)])
    func optionalValue(_ words: [SystemString], _ value: SystemString) throws {
        let options =
            Self.options + [
                Option(
                    "--encrypt", value: "yes|no", help: "",
                    optionalValue: Option.OptionalValue(["yes", "no"], usual: "yes"))
            ]
        let parsed = try ParsedArguments(words, options: options)
        #expect(self.value("--encrypt", parsed, of: options) == value && Array(parsed.rest) == ["x"])
    }

    @Test("options end at the first word that is none, and a lone dash is none")
    func end() throws {
        #expect(Array(try parse("--keep", "-", "--mode", "x").rest) == ["-", "--mode", "x"])
        #expect(Array(try parse("job.lua", "--", "--keep").rest) == ["job.lua", "--", "--keep"])
        #expect(Array(try parse("--", "--keep").rest) == ["--keep"])
        #expect(try parse().rest.isEmpty)
    }

    @Test(
        "an option that there is not is answered with the one that is near",
        arguments: [
            ("--jurnal", "there is no option --jurnal; is --journal meant?"),
            ("--jurnal=run.db", "there is no option --jurnal; is --journal meant?"),
            ("-journal", "there is no option -journal; is --journal meant?"),
            ("--MODE", "there is no option --MODE; is --mode meant?"),
            ("--kepe", "there is no option --kepe; is --keep meant?"),
            ("--colour", "there is no option --colour"), ("-j", "there is no option -j"),
            ("-np4x", "there is no option -np4x"), ("--secrets", "there is no option --secrets"),
        ] as [(SystemString, String)])
    func unknown(_ word: SystemString, _ message: String) { #expect(mistake(word, "job.lua") == message) }

    @Test("a missing value is told, also where another option stands in its place")
    func missing() {
        #expect(mistake("--journal") == "--journal wants a value: --journal FILE")
        #expect(mistake("--journal", "--keep", "job.lua") == "--journal wants a value: --journal FILE")
        #expect(mistake("--keep=yes") == "--keep takes no value")
    }

    @Test("bytes that are not UTF-8 stay what they are, and are shown as escapes")
    func bytes() throws {
        let name = SystemString(bytes: [0x63, 0xE9, 0x1B])
        let parsed = try parse("--journal", name, name)
        #expect(value("--journal", parsed) == name && Array(parsed.rest) == [name])
        #expect("\(name)" == "c\\xe9\\x1b")
        #expect(mistake(SystemString(bytes: [0x2D, 0x2D, 0xFF])) == "there is no option --\\xff")
    }

    @Test("what starts ranks is left out for these, and nothing else")
    func without() throws {
        let parsed = try parse("-np", "4", "--keep", "-n=3", "--", "-x", "-np", "2")
        #expect(parsed.without { $0 == 0 } == ["--keep", "--", "-x", "-np", "2"])
    }

    @Test(
        "an option behind the script is seen, unless somebody has said -- or it is short",
        arguments: [
            (["job.lua", "--journal", "x"], "--journal"), (["job.lua", "a", "-np=3"], "-np"),
            (["job.lua", "-n", "3"], nil), (["--", "job.lua", "--keep"], nil), (["job.lua", "--", "--keep"], nil),
            (["job.lua", "--other"], nil), (["--keep", "job.lua"], nil),
        ] as [([SystemString], SystemString?)])
    func behind(_ words: [SystemString], _ option: SystemString?) throws {
        #expect(
            try ParsedArguments(words, options: Self.options).firstOptionBehind(among: Self.options) == option)
    }
}
