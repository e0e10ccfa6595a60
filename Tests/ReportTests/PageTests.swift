import DLP
import Glibc
import TestSupport
import Testing

@testable import Report

@Suite("The page of a job")
struct PageTests {
    private static let start: UInt64 = 1_000_000_000

    /// Returns the text of the page, and the JSON in it, with escapes of HTML as they are written.
    private func written(
        _ facts: PageFacts = PageFacts(title: "job.lua"), ranks: Int = 2,
        ending: PageEnding = PageEnding(), _ fill: (PageFile) -> Void
    ) throws -> (text: String, data: String) {
        let directory = try TemporaryDirectory()
        let page = try PageFile(path: SystemString(directory.file("out.html")), facts)
        page.begin(ranks: ranks, start: Self.start, began: 1_800_000_000)
        fill(page)
        try page.finish(ending, at: Self.start + 4_000_000_000)
        try page.finish(ending)
        let text = try #require(directory.read("out.html"))
        let start = try #require(text.firstRange(of: "id=\"data\">")).upperBound
        let end = try #require(text[start...].firstRange(of: "</script>")).lowerBound
        return (text, String(text[start..<end]))
    }

    private func work(_ examples: ClosedRange<Int>, failed: Int = 0, took: UInt64, at end: UInt64) -> PageWork {
        PageWork(examples: examples, count: examples.count, failed: failed, nanoseconds: took, end: Self.start + end)
    }

    private func failure(_ number: Int, _ message: String, _ traceback: String = "") -> PageExample {
        var example = PageExample(number: number, rank: 1, host: "b", end: Self.start + 1_000_000, nanoseconds: 500_000)
        example.failure = PageExample.Failure(message: message, traceback: traceback)
        return example
    }

    @Test("blocks, losses and sums of each rank stand in it, in microseconds since the beginning")
    func data() throws {
        let (_, data) = try written { page in
            page.addWork(work(1...4, took: 3_000_000, at: 3_000_000), rank: 0, host: "a")
            page.addWork(work(7...7, failed: 1, took: 1_000_000, at: 5_000_000), rank: 0, host: "a")
            page.addCost(rank: 0, host: "a", cpu: 2_000_000)
            page.lose(1, host: "b", cause: "killed", at: Self.start + 9_000_000)
        }
        for part in [
            "\"began\":\"2027-01-15T08:00:00.000Z\",\"length\":4000000", "\"hosts\":[\"a\",\n\"b\"]",
            "{\"rank\":0,\"host\":0,\"work\":4000,\"count\":5,\"failed\":1,\"cpu\":2000}",
            "{\"rank\":1,\"host\":1,\"work\":0,\"count\":0,\"failed\":0,\"lost\":[0,9000,\"killed\"]}",
            "\"blocks\":[[0,3000,0,1,3,0,0,1000,1000,0,7,0,0,1],\n[]]", "\"lengths\":null", "\"reason\":null",
        ] {
            #expect(data.contains(part), "\(part) is not in \(data)")
        }
    }

    @Test(
        "what comes from the job ends no element, and is no markup",
        arguments: [
            "</script><script>alert(1)</script>", "<img src=x onerror=alert(1)>", "<!--<script>", "]]>",
            "&lt;b&gt;&#60;", "\u{2028}\u{2029}", "\"'`\\u003c\\", "\u{202e}\u{0}\u{7}\u{1b}[31m",
            "\u{FEFF}\u{E9}\u{1F600}",
        ])
    func hostile(_ text: String) throws {
        var facts = PageFacts(title: text)
        facts.others = [(text, text)]
        var ending = PageEnding()
        ending.reason = text
        ending.alone = { "\(text) \($0)" }
        let (whole, data) = try written(facts, ranks: 1, ending: ending) { page in
            page.addWork(work(1...1, took: 1000, at: 2000), rank: 0, host: text)
            page.lose(1, host: text, cause: text, at: Self.start)
            var example = failure(3, text, text)
            (example.loop, example.input, example.host) = (text, text, text)
            page.addFailure(example)
            page.addFailure(failure(4, text))
            page.addLengths(of: 1000) { _ in example }
        }
        let plain = try written(PageFacts(title: ""), ranks: 1) { _ in }.text
        #expect(
            !data.contains {
                "<>&\u{2028}\u{2029}\u{202e}\u{0}\u{1b}".unicodeScalars.contains($0.unicodeScalars.first!)
            })
        // Everything else is the same as for any other job.
        let frame = { (text: String) in text.replacing(/nonce[-=]"?[0-9a-z]+/, with: "") }
        let around = frame(whole).split(separator: data, maxSplits: 1)
        #expect(around.count == 2 && around.allSatisfy { frame(plain).contains($0) })
        for tag in ["<script", "</script", "<style", "<!--"] {
            #expect(whole.ranges(of: tag).count == plain.ranges(of: tag).count)
        }
    }

    @Test("browsers are told to fetch nothing, and to run the page's own script alone")
    func policy() throws {
        let texts = try (0..<2).map { _ in try written { _ in }.text }
        let nonces = try texts.map { text in
            let found = try #require(text.firstMatch(of: /script-src 'nonce-([0-9a-z]{20,})'/))
            return String(found.1)
        }
        #expect(nonces[0] != nonces[1])
        for (text, nonce) in zip(texts, nonces) {
            #expect(
                text.contains("content=\"default-src 'none'; script-src 'nonce-\(nonce)'; style-src 'nonce-\(nonce)'"))
            #expect(text.contains("<script nonce=\"\(nonce)\">") && text.contains("<style nonce=\"\(nonce)\">"))
            for word in ["http:", "https:", "src=", "@import", "url(", "innerHTML", "eval("] {
                #expect(!text.replacing("http://www.w3.org/2000/svg", with: "").contains(word), "\(word)")
            }
        }
    }

    @Test("the longest are listed, those that were reported together with their mean")
    func longest() throws {
        var ending = PageEnding()
        ending.alone = { "dlp-lua --only \($0) job.lua" }
        let (_, data) = try written(ending: ending) { page in
            for number in 1...100 {
                page.addLengths(of: UInt64(number) * 1_000_000) { _ in
                    PageExample(
                        number: number, rank: 0, host: "a", end: Self.start, nanoseconds: UInt64(number) * 1_000_000)
                }
            }
            page.addLengths(of: 95_500_000, count: 2) { place in
                var example = PageExample(
                    number: 200 + place, rank: 1, host: "a", end: Self.start, nanoseconds: 95_500_000)
                example.together = 2
                return example
            }
            page.nameInputs { "value \($0)" }
        }
        let numbers = data.matches(of: /\{"number":(\d+)/).map { Int($0.1) ?? 0 }
        #expect(numbers == [100, 99, 98, 97, 96, 200, 201] + (83...95).reversed())
        #expect(data.contains("\"number\":200,\"rank\":1,\"host\":\"a\",\"end\":0,\"took\":0.0955,\"together\":2"))
        #expect(data.contains("\"input\":\"value 99\",\"alone\":\"dlp-lua --only 99 job.lua\""))
        #expect(data.contains("\"count\":102,"))
    }

    @Test("failures are listed by their index, the first of very many, and long texts are cut")
    func failures() throws {
        let (text, data) = try written { page in
            for number in (1...2_000).reversed() {
                page.addFailure(
                    failure(number, String(repeating: "m", count: 9_000), String(repeating: "\u{e9}", count: 9_000)))
            }
        }
        #expect(data.contains("\"failed\":2000,") && text.utf8.count < 2_000_000)
        let numbers = data.matches(of: /"number":(\d+)/).map { Int($0.1) ?? 0 }
        #expect(numbers.count > 20 && numbers == numbers.sorted() && numbers.last == 2_000)
        let short = try written { page in for number in 1...1_000 { page.addFailure(failure(number, "m")) } }.data
        #expect(short.matches(of: /"number":/).count == 500 && short.contains("\"failed\":1000,"))
    }

    @Test("memory is shown where it is known")
    func memory() throws {
        let (_, data) = try written { page in
            page.addCost(rank: 0, host: "a", cpu: nil, memory: 3_000)
            page.addCost(rank: 0, host: "a", cpu: nil, memory: 2_000)
            var example = failure(1, "m")
            example.memory = 7
            page.addFailure(example)
        }
        #expect(data.contains("\"failed\":0,\"memory\":3000}") && data.contains("\"memory\":7,\"message\""))
    }

    @Test("a rank that goes on on another host is another row")
    func otherHost() throws {
        let (_, data) = try written(ranks: 1) { page in
            page.addWork(work(1...1, took: 1000, at: 2000), rank: 0, host: "a")
            page.addWork(work(2...2, took: 1000, at: 9000), rank: 0, host: "b")
            page.addWork(work(3...3, took: 1000, at: 9000), rank: 4, host: "b")
        }
        let rows = data.matches(of: /\{"rank":(\d+),"host":(\d+),"work":1,"count":1/).map { "\($0.1) \($0.2)" }
        #expect(rows == ["0 0", "0 1", "4 1"])
    }

    @Test("a million examples on a thousand ranks make a small page, in which none is forgotten")
    func large() throws {
        let directory = try TemporaryDirectory()
        var page = Page(PageFacts(title: "job.lua"))
        page.begin(ranks: 1000, start: Self.start, began: 0)
        let hosts = (0..<21).map { "node\($0).example.org" }
        for number in 1...1_000_000 {
            let rank = number % 1000
            let (host, took) = (hosts[rank / 48], UInt64(number % 977 + 1) * 3_000_000)
            let end = Self.start + UInt64(number) * 3_600_000 + 3_000_000_000
            let isFailed = number % 997 == 0
            page.addWork(
                PageWork(
                    examples: number...number, count: 1, failed: isFailed ? 1 : 0, nanoseconds: took, end: end),
                rank: rank, host: host)
            page.addLengths(of: took, count: 1) { _ in
                PageExample(number: number, rank: rank, host: host, end: end, nanoseconds: took)
            }
            if isFailed { page.addFailure(failure(number, "failed", "stack traceback:\n\tjob.lua:1")) }
        }
        let blocks = page.rows.flatMap(\.line.blocks)
        #expect(page.rows.count == 1000 && blocks.count <= 40_000)
        #expect(blocks.reduce(0) { $0 + $1.count } == 1_000_000 && blocks.reduce(0) { $0 + $1.failed } == 1_003)
        #expect(page.rows.reduce(0) { $0 + $1.count } == 1_000_000 && page.failures.count == 1_003)
        #expect(page.lengths.distribution.reduce(0) { $0 + $1.count } == 1_000_000 && page.longest.list.count == 20)
        var file = try OutputFile(path: SystemString(directory.file("out.html")))
        try PageText(page, PageEnding(), nonce: "n").write(to: &file)
        try file.finish()
        let size = try #require(directory.read("out.html")).utf8.count
        #expect(size > 500_000 && size < 5_000_000)
    }

    @Test("what is very long is cut, wherever it stands more than once")
    func long() throws {
        let word = String(repeating: "x", count: 100_000)
        var facts = PageFacts(title: word)
        facts.others = [("Arguments", word)]
        var ending = PageEnding()
        ending.alone = { "dlp-lua --only \($0) \(word)" }
        let (text, data) = try written(facts, ending: ending) { page in
            for number in 1...600 { page.addFailure(failure(number, word, word)) }
        }
        #expect(data.contains("dlp-lua --only 17 xxx") && text.utf8.count < 5_000_000)
        #expect(data.contains("[\"Arguments\",\"\(word.prefix(10_000)) ...\"]"))
    }

    @Test("the plan is there where there is one")
    func plan() throws {
        #expect(try written { _ in }.data.contains(",\n\"plan\":[]"))
        var ending = PageEnding()
        ending.plan = [PagePlan(ranks: 1, seconds: 8), PagePlan(ranks: 2, seconds: 4.25)]
        #expect(try written(ending: ending) { _ in }.data.contains(",\n\"plan\":[[1,8.0],\n[2,4.25]]"))
    }

    @Test("lengths are remembered in their order, and of very many some, evenly spread")
    func measured() {
        var lengths = MeasuredLengths()
        lengths.add(5, first: 4, count: 1)
        lengths.add(2, first: 1, count: 3)
        lengths.add(9, first: 5, count: 0)
        #expect(lengths.seconds == [2, 2, 2, 5] && lengths.count == 4)
        for number in 0..<5_000_000 { lengths.add(number % 2 == 0 ? 1 : 3, first: number, count: 2) }
        let seconds = lengths.seconds
        #expect(lengths.count == 10_000_004 && seconds.count < 5_000_000)
        #expect(abs(seconds.reduce(0, +) / Double(seconds.count) - 2) < 0.01)
    }

    @Test("a file that cannot be written, or is no page, is refused")
    func refusal() throws {
        let directory = try TemporaryDirectory()
        let facts = PageFacts(title: "")
        for name in ["out", "out.svg", "html", "out.html.gz"] {
            let path = SystemString(directory.file(name))
            let refusal = message { _ = try PageFile(path: path, facts) }
            #expect(refusal?.contains("give it a name in .html") == true)
        }
        let missing = directory.file("missing/out.html")
        let refusal = message { _ = try PageFile(path: SystemString(missing), facts) }
        #expect(refusal == "cannot write the report to \(missing): No such file or directory")
    }

    @Test("a page is written beside its place until it is complete")
    func partial() throws {
        let directory = try TemporaryDirectory()
        let facts = PageFacts(title: "")
        do {
            let page = try PageFile(
                path: SystemString(directory.file("out.html")), facts)
            #expect(access(directory.file("out.html.partial"), F_OK) == 0)
            #expect(access(directory.file("out.html"), F_OK) != 0)
            try page.finish(PageEnding())
        }
        #expect(access(directory.file("out.html.partial"), F_OK) != 0)
        #expect(try #require(directory.read("out.html")).hasSuffix("</html>\n"))
    }
}
