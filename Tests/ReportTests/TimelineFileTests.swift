import CSystem
import DLP
import Glibc
import TestSupport
import Testing

@testable import Report

@Suite("Files that show who did what when")
struct TimelineFileTests {
    /// Returns the text of a file with that ending, for a job of two ranks of which one was lost.
    private func written(_ ending: String) throws -> String {
        let directory = try TemporaryDirectory()
        let file = try TimelineFile(
            path: directory.file("out.\(ending)"), title: "a <job> & \"more\"", ranks: 2, start: dlp_now())
        file.add(Chunk(first: 0, count: 4), isFailed: false, rank: 0, host: "here", nanoseconds: 3_000_000)
        file.add(Chunk(first: 4, count: 1), isFailed: true, rank: 0, host: "here", nanoseconds: 2_000_000)
        file.lose(1, host: "here", cause: "killed <9>")
        try file.finish()
        try file.finish()
        return try #require(directory.read("out.\(ending)"))
    }

    @Test("a picture names the job, the ranks, and what they did", arguments: ["svg", "SVG"])
    func picture(_ ending: String) throws {
        let text = try written(ending)
        #expect(text.hasPrefix("<svg xmlns=") && text.hasSuffix("</svg>\n"))
        for part in [
            "a &lt;job&gt; &amp; \"more\": 5 examples on 2 ranks in ", ">rank 0</text>", ">rank 1</text>",
            "<title>examples 1 to 4: ", "<title>example 5, failed: ",
            "<title>rank 1 was lost: killed &lt;9&gt;</title>",
            ">work</text>", ">failed</text>", ">lost</text>", "time in ",
        ] {
            #expect(text.contains(part), "\(part) is not in \(text)")
        }
    }

    @Test("a picture of a job in which nothing went wrong has no legend for that")
    func plain() throws {
        let directory = try TemporaryDirectory()
        try TimelineFile(path: directory.file("out.svg"), title: "job", ranks: 1, start: dlp_now()).finish()
        let text = try #require(directory.read("out.svg"))
        #expect(!text.contains(">failed<") && !text.contains(">lost<") && text.contains("job: 0 examples on 1 rank in"))
    }

    @Test("a picture says how busy a rank kept processors, where that is known, and nothing where it is not")
    func processors() throws {
        let directory = try TemporaryDirectory()
        let start = dlp_now() - 1_000_000_000_000
        let file = try TimelineFile(path: directory.file("out.svg"), title: "job", ranks: 2, start: start)
        file.add(Chunk(first: 0, count: 1), isFailed: false, rank: 0, host: "here", nanoseconds: 800_000_000_000)
        for _ in 0..<2 { file.add(cpu: 125_000_000_000, of: 0) }
        try file.finish()
        let lines = try #require(directory.read("out.svg")).split(separator: "\n")
        #expect(
            lines.filter { $0.contains("x=\"1128\"") }.map { $0.suffix(11) }
                == [">at work</text>", ">80 %</text>", ">0 %</text>"].map { $0.suffix(11) })
        #expect(
            lines.filter { $0.contains("x=\"1188\"") }.map { $0.suffix(11) }
                == [">processor</text>", ">25 %</text>"].map { $0.suffix(11) })
    }

    @Test("a trace has a thread for each rank")
    func trace() throws {
        let lines = try written("json").split(separator: "\n")
        #expect(lines.first == "{\"displayTimeUnit\":\"ms\",\"traceEvents\":[" && lines.last == "]}")
        for part in [
            "\"process_name\",\"args\":{\"name\":\"a <job> & \\\"more\\\"\"}", "\"tid\":2,\"name\":\"thread_name\"",
            "\"cat\":\"work\"",
            "\"name\":\"examples 1 to 4\",\"args\":{\"examples\":4,\"failed\":0,\"work\":0.003000}}",
            "\"cat\":\"failed\"", "\"cat\":\"lost\"", "\"cause\":\"killed <9>\"",
        ] {
            #expect(lines.contains { $0.contains(part) }, "\(part) is not in \(lines)")
        }
        #expect(lines.dropFirst().dropLast(2).allSatisfy { $0.hasSuffix(",") })
    }

    @Test("a file that cannot be written, or is of an unknown kind, is refused")
    func refusal() throws {
        let directory = try TemporaryDirectory()
        for name in ["out", "out.png", "svg", "out.svg.gz"] {
            let refusal = message { _ = try TimelineFile(path: directory.file(name), title: "", ranks: 1, start: 0) }
            #expect(refusal?.contains("give the timeline a name in .svg or .json") == true)
        }
        let missing = directory.file("missing/out.svg")
        let refusal = message { _ = try TimelineFile(path: missing, title: "", ranks: 1, start: 0) }
        #expect(refusal == "cannot write the timeline to \(missing): No such file or directory")
    }

    @Test("a full disk is an error", arguments: ["svg", "json"])
    func full(_ ending: String) throws {
        let directory = try TemporaryDirectory()
        try #require(symlink("/dev/full", directory.file("out.\(ending)")) == 0)
        let file = try TimelineFile(path: directory.file("out.\(ending)"), title: "job", ranks: 1, start: 0)
        #expect(message { try file.finish() }?.contains("No space left on device") == true)
    }
}
