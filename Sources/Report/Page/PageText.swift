import DLP
import Glibc

/// A page as the text of its file.
///
/// Data of the job is embedded as JSON, in a form that cannot end the enclosing element. The page's own script puts it onto
/// the page, as text only.
struct PageText {
    private let page: Page
    private let ending: PageEnding
    private let nonce: String

    /// - Parameter nonce: a word that cannot be guessed; it tells the browser which script is the page's own.
    init(_ page: Page, _ ending: PageEnding, nonce: String) {
        self.page = page
        self.ending = ending
        self.nonce = nonce
    }

    /// The lengths, in characters, at which values of examples, command lines for a single example, and facts of the job
    /// are cut.
    private static let longest = (input: 200, line: 400, fact: 10_000)

    /// Writes the page.
    ///
    /// - Throws: `ReportError` where the file cannot be written.
    func write(to file: inout OutputFile) throws(ReportError) {
        file.buffer.append(utf8: PageFrame.head(nonce: nonce, style: PageStyle.text))
        file.buffer.append(utf8: PageFrame.body)
        file.buffer.append(utf8: "<script type=\"application/json\" id=\"data\">")
        Self.append(data().array, to: &file.buffer)
        file.buffer.append(utf8: "</script>\n")
        try file.flushIfFull()
        file.buffer.append(utf8: "<script nonce=\"\(nonce)\">\n\"use strict\";\n")
        for part in PageScript.parts { file.buffer.append(utf8: part) }
        file.buffer.append(utf8: "\n</script>\n</body>\n</html>\n")
    }

    /// Appends JSON in a form that may stand within an HTML element.
    ///
    /// Characters that HTML, or an old JavaScript, would misinterpret are written as escapes. JSON contains them in strings
    /// only.
    static func append(_ json: [UInt8], to text: inout ByteWriter) {
        var place = 0
        var start = 0
        func escape(_ word: String, _ length: Int) {
            json[start..<place].withUnsafeBytes { text.append(contentsOf: $0) }
            text.append(utf8: word)
            place += length
            start = place
        }
        while place < json.count {
            switch json[place] {
            case UInt8(ascii: "<"): escape("\\u003c", 1)
            case UInt8(ascii: ">"): escape("\\u003e", 1)
            case UInt8(ascii: "&"): escape("\\u0026", 1)
            // U+2028 and U+2029.
            case 0xE2 where place + 2 < json.count && json[place + 1] == 0x80 && json[place + 2] & 0xFE == 0xA8:
                escape(json[place + 2] == 0xA8 ? "\\u2028" : "\\u2029", 3)
            default: place += 1
            }
        }
        json[start...].withUnsafeBytes { text.append(contentsOf: $0) }
    }

    /// The first `length` characters of `text`.
    static func cut(_ text: String, to length: Int) -> String {
        guard text.utf8.count > length else { return text }
        let start = text.unicodeScalars.prefix(length)
        return start.count < text.unicodeScalars.count ? String(String.UnicodeScalarView(start)) + " ..." : text
    }

    // MARK: The data

    /// All data that the page shows, as JSON; times are microseconds since the job's beginning.
    private func data() -> Bytes {
        var json = ByteWriter()
        let rows = page.orderedRows
        let hosts = Self.distinct(rows.compactMap(\.host))
        let places = Dictionary(uniqueKeysWithValues: hosts.enumerated().map { ($1, $0) })
        json.append(utf8: "{\"title\":")
        append(Self.cut(page.facts.title, to: Self.longest.input), to: &json)
        json.append(utf8: ",\"began\":\"\(Self.iso(page.began))\",\"length\":\(microseconds(page.end))")
        json.append(utf8: ",\"enough\":\(ending.hadEnough),\"reason\":")
        if let reason = ending.reason { append(reason, keepsLines: true, to: &json) } else { json.append(utf8: "null") }
        json.append(utf8: ",\"total\":\(ending.total.map { "\($0)" } ?? "null"),\"earlier\":\(ending.earlier)")
        json.append(utf8: ",\"failed\":\(page.failures.count),\n\"facts\":")
        appendList(page.facts.others, to: &json) { fact, json in
            json.append(utf8: "[")
            append(fact.name, to: &json)
            json.append(utf8: ",")
            append(Self.cut(fact.value, to: Self.longest.fact), to: &json)
            json.append(utf8: "]")
        }
        json.append(utf8: ",\n\"hosts\":")
        appendList(hosts, to: &json) { append($0, to: &$1) }
        json.append(utf8: ",\n\"rows\":")
        appendList(rows, to: &json) { appendRow($0, host: $0.host.flatMap { places[$0] }, to: &$1) }
        json.append(utf8: ",\n\"blocks\":")
        appendList(rows, to: &json) { appendBlocks($0.line.blocks, to: &$1) }
        appendLengths(to: &json)
        json.append(utf8: ",\n\"plan\":")
        appendList(ending.plan, to: &json) { $1.append(utf8: "[\($0.ranks),\($0.seconds)]") }
        json.append(utf8: ",\n\"longest\":")
        appendList(page.longest.list, to: &json) { append($0, to: &$1) }
        json.append(utf8: ",\n\"failures\":")
        appendList(page.failures.ordered, to: &json) { append($0, to: &$1) }
        json.append(utf8: "}\n")
        return json.finish()
    }

    private static func distinct(_ names: [String]) -> [String] {
        var seen: Set<String> = []
        return names.filter { seen.insert($0).inserted }
    }

    private func appendList<Item>(
        _ items: [Item], to json: inout ByteWriter, _ body: (Item, inout ByteWriter) -> Void
    ) {
        json.append(utf8: "[")
        for (place, item) in items.enumerated() {
            if place > 0 { json.append(utf8: ",\n") }
            body(item, &json)
        }
        json.append(utf8: "]")
    }

    private func append(_ text: String, keepsLines: Bool = false, to json: inout ByteWriter) {
        json.appendJSON(text.visible(keepsLines: keepsLines))
    }

    private func microseconds(_ time: UInt64) -> UInt64 { time > page.start ? (time - page.start) / 1000 : 0 }

    private func appendRow(_ row: Page.Row, host: Int?, to json: inout ByteWriter) {
        json.append(utf8: "{\"rank\":\(row.rank),\"host\":\(host ?? -1),\"work\":\(row.work / 1000)")
        json.append(utf8: ",\"count\":\(row.count),\"failed\":\(row.failed)")
        if let cpu = row.cpu { json.append(utf8: ",\"cpu\":\(cpu / 1000)") }
        if let memory = row.memory { json.append(utf8: ",\"memory\":\(memory)") }
        if let loss = row.line.loss {
            json.append(utf8: ",\"lost\":[\(microseconds(loss.start)),\(microseconds(loss.end)),")
            append(loss.cause, to: &json)
            json.append(utf8: "]")
        }
        json.append(utf8: "}")
    }

    /// Appends seven numbers for each block: the time since the end of the block before, its duration, how much of that was
    /// idle; its first example, the distance to its last example, how many examples in between belong to others, and how
    /// many failed.
    private func appendBlocks(_ blocks: [TimelineBlock], to json: inout ByteWriter) {
        json.append(utf8: "[")
        var last: UInt64 = 0
        for (place, block) in blocks.enumerated() {
            if place > 0 { json.append(utf8: ",") }
            let (start, end) = (microseconds(block.start), microseconds(block.end))
            let idle = (block.duration - min(block.work, block.duration)) / 1000
            let span = block.examples.upperBound - block.examples.lowerBound
            json.append(
                utf8: "\(start - min(last, start)),\(end - start),\(idle),\(block.examples.lowerBound),\(span),"
                    + "\(span + 1 - block.count),\(block.failed)")
            last = end
        }
        json.append(utf8: "]")
    }

    private func appendLengths(to json: inout ByteWriter) {
        let lengths = page.lengths
        guard lengths.count > 0 else { return json.append(utf8: ",\n\"lengths\":null") }
        json.append(utf8: ",\n\"lengths\":{\"count\":\(lengths.count),\"sum\":\(lengths.sum)")
        json.append(utf8: ",\"least\":\(lengths.least),\"most\":\(lengths.most),\"median\":\(lengths.quantile(0.5))")
        json.append(utf8: ",\"p90\":\(lengths.quantile(0.9)),\"p99\":\(lengths.quantile(0.99))")
        json.append(utf8: ",\"logarithmic\":\(lengths.isLogarithmic),\"bars\":")
        appendList(lengths.distribution, to: &json) { $1.append(utf8: "[\($0.from),\($0.to),\($0.count)]") }
        json.append(utf8: "}")
    }

    private func append(_ example: PageExample, to json: inout ByteWriter) {
        json.append(utf8: "{\"number\":\(example.number),\"rank\":\(example.rank),\"host\":")
        append(example.host, to: &json)
        json.append(utf8: ",\"end\":\(microseconds(example.end))")
        if let nanoseconds = example.nanoseconds { json.append(utf8: ",\"took\":\(Double(nanoseconds) / 1e9)") }
        if example.together > 1 { json.append(utf8: ",\"together\":\(example.together)") }
        if let memory = example.memory { json.append(utf8: ",\"memory\":\(memory)") }
        var texts = [
            ("loop", example.loop), ("input", Self.cut(example.input, to: Self.longest.input)),
            ("message", example.failure?.message ?? ""), ("traceback", example.failure?.traceback ?? ""),
        ]
        if example.loop.isEmpty, example.number > 0, let line = ending.alone?(example.number) {
            texts.append(("alone", Self.cut(line, to: Self.longest.line)))
        }
        for (name, text) in texts where !text.isEmpty {
            json.append(utf8: ",\"\(name)\":")
            append(text, keepsLines: name == "message" || name == "traceback", to: &json)
        }
        if let failure = example.failure { json.append(utf8: ",\"attempts\":\(failure.attempts)") }
        json.append(utf8: "}")
    }

    /// Formats a time in seconds since 1970 by ISO 8601, in UTC.
    static func iso(_ seconds: Double) -> String {
        let milliseconds = Int((seconds * 1000).rounded(.down))
        var whole = time_t(milliseconds / 1000)
        var parts = tm()
        gmtime_r(&whole, &parts)
        func digits(_ value: Int, _ count: Int = 2) -> String {
            let text = String(value)
            return String(repeating: "0", count: max(count - text.utf8.count, 0)) + text
        }
        let date = [Int(parts.tm_year) + 1900, Int(parts.tm_mon) + 1, Int(parts.tm_mday)].map { digits($0) }
        let time = [parts.tm_hour, parts.tm_min, parts.tm_sec].map { digits(Int($0)) }
        return "\(date.joined(separator: "-"))T\(time.joined(separator: ":")).\(digits(milliseconds % 1000, 3))Z"
    }
}
