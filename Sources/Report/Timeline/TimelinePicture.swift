import DLP

/// A timeline as an SVG picture: a row for each rank, one below another, with blocks for its work.
struct TimelinePicture {
    /// Lengths in pixels.
    private enum Layout {
        static let width = 1200.0
        static let left = 150.0
        static let right = 130.0
        /// Where the columns on the right end.
        static let (work, processors) = ("1128", "1188")
        static let top = 64.0
        static let bottom = 44.0
        /// The height of a row if there are few rows, and the height of all rows together if there are many.
        static let row = 24.0
        static let allRows = 1600.0
        static let leastRow = 3.0
        /// Below this height only some rows are labelled.
        static let text = 12.0
        /// The least width of a block, so that it stays visible.
        static let leastBlock = 0.4
    }

    private let timeline: Timeline
    private let row: Double
    private let scale: TimeScale

    init(_ timeline: Timeline) {
        self.timeline = timeline
        let rows = Double(max(timeline.rows.count, 1))
        row = max(min(Layout.row, Layout.allRows / rows), Layout.leastRow)
        scale = TimeScale(
            nanoseconds: timeline.end - timeline.start, pixels: Layout.width - Layout.left - Layout.right)
    }

    private var height: Double { row * Double(timeline.rows.count) }

    /// Writes the picture.
    ///
    /// - Throws: `ReportError` where the file cannot be written.
    func write(to file: inout OutputFile) throws(ReportError) {
        let total = number(Layout.top + height + Layout.bottom)
        file.buffer.append(
            utf8: """
                <svg xmlns="http://www.w3.org/2000/svg" width="1200" height="\(total)" viewBox="0 0 1200 \(total)">
                <style>text{font:12px sans-serif;fill:#333}.h{font-size:15px;font-weight:bold}.e{text-anchor:end}
                .m{text-anchor:middle}.i{fill:#eee}.w{fill:#4c78a8}.f{fill:#d62728}.l{fill:#f2b134}.t{stroke:#ccc}</style>
                <rect width="1200" height="\(total)" fill="#fff"/>
                <text class="h" x="12" y="24">\(escaped(title))</text>

                """)
        appendLegend(to: &file.buffer)
        appendAxis(to: &file.buffer)
        for rank in timeline.rows.indices { try appendRow(rank, to: &file) }
        file.buffer.append(utf8: "</svg>\n")
    }

    private var title: String {
        let seconds = Double(timeline.end - timeline.start) / 1e9
        return "\(timeline.title): \(Figures.count(timeline.count, "example")) on "
            + "\(Figures.count(timeline.rows.count, "rank")) in \(Figures.time(seconds: seconds))"
    }

    private func appendLegend(to text: inout ByteWriter) {
        var entries = [("w", "work")]
        if timeline.failures > 0 { entries.append(("f", "failed")) }
        if timeline.rows.contains(where: { $0.loss != nil }) { entries.append(("l", "lost")) }
        for (place, entry) in entries.enumerated() {
            let x = Layout.left + 80 * Double(place)
            text.append(
                utf8: "<rect class=\"\(entry.0)\" x=\"\(number(x))\" y=\"37\" width=\"12\" height=\"12\"/>"
                    + "<text x=\"\(number(x + 17))\" y=\"47\">\(entry.1)</text>\n")
        }
        for (x, head) in [(Layout.work, "at work"), (Layout.processors, "processor")] {
            text.append(utf8: "<text class=\"e\" x=\"\(x)\" y=\"47\">\(head)</text>\n")
        }
    }

    /// Appends lines at round times, behind everything else, with labels below.
    private func appendAxis(to text: inout ByteWriter) {
        let bottom = Layout.top + height
        for tick in scale.ticks {
            let x = number(Layout.left + tick.pixel)
            text.append(
                utf8: "<path class=\"t\" d=\"M\(x) \(number(Layout.top - 4))V\(number(bottom + 4))\"/>"
                    + "<text class=\"m\" x=\"\(x)\" y=\"\(number(bottom + 18))\">\(tick.label)</text>\n")
        }
        let middle = number(Layout.left + (Layout.width - Layout.left - Layout.right) / 2)
        text.append(
            utf8: "<text class=\"m\" x=\"\(middle)\" y=\"\(number(bottom + 36))\">time in \(scale.unit)</text>\n")
    }

    private func appendRow(_ rank: Int, to file: inout OutputFile) throws(ReportError) {
        let (top, band) = (Layout.top + row * Double(rank), row * 0.8)
        let facts = timeline.rows[rank]
        let y = "y=\"\(number(top))\" height=\"\(number(band))\""
        if rank % max(1, Int((Layout.text / row).rounded(.up))) == 0 {
            let base = number(top + band / 2 + 4)
            file.buffer.append(
                utf8: "<text class=\"e\" x=\"\(number(Layout.left - 8))\" y=\"\(base)\">"
                    + "\(escaped(timeline.name(of: rank)))</text>\n")
            for (x, time) in [(Layout.work, facts.work), (Layout.processors, facts.cpu)] {
                guard let time else { continue }
                let length = timeline.end - timeline.start
                let share = length > 0 ? Double(time) / Double(length) : 0
                file.buffer.append(
                    utf8: "<text class=\"e\" x=\"\(x)\" y=\"\(base)\">\(Figures.fixed(100 * share, 0)) %</text>\n")
            }
        }
        appendBlock("i", y, from: timeline.start, to: facts.loss?.end ?? timeline.end, "", to: &file.buffer)
        for block in facts.blocks {
            let time = Figures.time(seconds: Double(block.work) / 1e9)
            appendBlock(
                block.failed > 0 ? "f" : "w", y, from: block.start, to: block.end, "\(block.text): \(time)",
                to: &file.buffer)
            try file.flushIfFull()
        }
        guard let loss = facts.loss else { return }
        appendBlock("l", y, from: loss.start, to: loss.end, "rank \(rank) was lost: \(loss.cause)", to: &file.buffer)
    }

    private func appendBlock(
        _ kind: String, _ y: String, from start: UInt64, to end: UInt64, _ what: String, to text: inout ByteWriter
    ) {
        let (from, to) = (scale.pixel(start - timeline.start), scale.pixel(end - timeline.start))
        let width = number(max(to - from, Layout.leastBlock))
        let title = what.isEmpty ? "" : "<title>\(escaped(what))</title>"
        text.append(
            utf8:
                "<rect class=\"\(kind)\" x=\"\(number(Layout.left + from))\" width=\"\(width)\" \(y)>\(title)</rect>\n")
    }

    private func number(_ value: Double) -> String { Figures.fixed(value, 2) }

    private func escaped(_ text: String) -> String {
        var escaped = ""
        for character in TerminalText.printable(text).unicodeScalars {
            switch character {
            case "&": escaped += "&amp;"
            case "<": escaped += "&lt;"
            case ">": escaped += "&gt;"
            default: escaped.unicodeScalars.append(character)
            }
        }
        return escaped
    }
}
