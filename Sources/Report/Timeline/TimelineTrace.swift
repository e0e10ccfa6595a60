import DLP

/// A timeline in Chrome's Trace Event Format (JSON object form), which https://ui.perfetto.dev can load.
///
/// The job is a process, and each rank one of its threads; times are microseconds since the job began.
struct TimelineTrace {
    private let timeline: Timeline

    init(_ timeline: Timeline) { self.timeline = timeline }

    /// Writes the trace, one event on each line.
    ///
    /// - Throws: `ReportError` where the file cannot be written.
    func write(to file: inout OutputFile) throws(ReportError) {
        file.buffer.append(utf8: "{\"displayTimeUnit\":\"ms\",\"traceEvents\":[\n")
        append(metadata: "process_name", rank: nil, of: timeline.title, to: &file.buffer)
        for (rank, row) in timeline.rows.enumerated() {
            file.buffer.append(utf8: ",\n")
            append(metadata: "thread_name", rank: rank, of: timeline.name(of: rank), to: &file.buffer)
            for block in row.blocks {
                append(block, rank, to: &file.buffer)
                try file.flushIfFull()
            }
            if let loss = row.loss { append(loss, rank, to: &file.buffer) }
        }
        file.buffer.append(utf8: "\n]}\n")
    }

    private func append(metadata kind: String, rank: Int?, of name: String, to text: inout ByteWriter) {
        let thread = rank.map { ",\"tid\":\($0 + 1)" } ?? ""
        text.append(utf8: "{\"ph\":\"M\",\"pid\":1\(thread),\"name\":\"\(kind)\",\"args\":{\"name\":")
        text.appendJSON(name)
        text.append(utf8: "}}")
    }

    private func append(_ block: TimelineBlock, _ rank: Int, to text: inout ByteWriter) {
        let kind = block.failed > 0 ? "failed" : "work"
        begin(rank, kind, from: block.start, to: block.end, &text)
        text.append(
            utf8: ",\"name\":\"\(block.text)\",\"args\":{\"examples\":\(block.count),\"failed\":\(block.failed)")
        text.append(utf8: ",\"work\":\(Figures.fixed(Double(block.work) / 1e9, 6))}}")
    }

    private func append(_ loss: TimelineRow.Loss, _ rank: Int, to text: inout ByteWriter) {
        begin(rank, "lost", from: loss.start, to: loss.end, &text)
        text.append(utf8: ",\"name\":\"lost\",\"args\":{\"cause\":")
        text.appendJSON(loss.cause)
        text.append(utf8: "}}")
    }

    private func begin(_ rank: Int, _ kind: String, from start: UInt64, to end: UInt64, _ text: inout ByteWriter) {
        let (begin, duration) = (microseconds(start - timeline.start), microseconds(end - start))
        text.append(utf8: ",\n{\"ph\":\"X\",\"pid\":1,\"tid\":\(rank + 1),\"cat\":\"\(kind)\"")
        text.append(utf8: ",\"ts\":\(begin),\"dur\":\(duration)")
    }

    private func microseconds(_ nanoseconds: UInt64) -> String { Figures.fixed(Double(nanoseconds) / 1e3, 3) }
}
