public import DLP

/// Writes the results of a job, in the order of the examples, to a file or to standard output.
///
/// JSON is written as results come. A table needs its columns first, so a `csv` writer keeps the text of all results until
/// `finish`.
public struct ResultWriter: ~Copyable {
    private let format: ResultFormat
    private var file: OutputFile
    private var renderer = JSONRenderer()
    private var written = 0
    /// The numbers of the examples in their list, from 1, if they are not the whole list.
    public var numbers: [Int]?
    /// The facts beside each result.
    ///
    /// With any of them, each line of JSON is an object with the members `index`, `result` and these.
    public var fields: [ResultField] = []
    /// These facts for all rows of a table, as lines of JSON arrays.
    private var rows = ByteWriter()

    /// Begins a file that appears at `path` when it is complete; its name determines the format.
    ///
    /// - Throws: `ReportError` where the format is unknown or the file cannot be written.
    public init(path: SystemString) throws(ReportError) {
        self.init(format: try ResultFormat(path: path), file: try OutputFile(path: path))
    }

    /// Writes to a descriptor that the caller keeps; errors name it by `name`.
    public init(descriptor: Int32, name: String, format: ResultFormat) {
        self.init(format: format, file: OutputFile(descriptor: descriptor, name: name))
    }

    private init(format: ResultFormat, file: consuming OutputFile) {
        self.format = format
        self.file = file
    }

    /// Adds the encoded result of example `index`, from 0.
    ///
    /// Examples that are left out have no result: null.
    ///
    /// - Precondition: `index` is larger than in the call before.
    /// - Throws: `ReportError` with the example where the result has no JSON text; null is then written in its place. Also where
    ///   the file cannot be written.
    public mutating func append(
        index: Int, item: UnsafeRawBufferPointer, _ facts: ExampleFacts = ExampleFacts()
    ) throws(ReportError) {
        precondition(index >= written, "results come in the order of the examples")
        try appendMissing(below: index)
        try beginResult()
        do {
            try renderer.render(item, into: &file.buffer)
        } catch {
            file.buffer.append(utf8: "null")
            try endResult(facts)
            let number = numbers?[index] ?? index + 1
            throw ReportError("result of example \(number): \(error)", example: number)
        }
        try endResult(facts)
    }

    /// Adds the encoded result of example `index`, from 0.
    ///
    /// Examples that are left out have no result: null.
    ///
    /// - Precondition: `index` is larger than in the call before.
    /// - Throws: `ReportError` in the same cases as the other `append`.
    public mutating func append(
        index: Int, item: Bytes, _ facts: ExampleFacts = ExampleFacts()
    ) throws(ReportError) {
        try item.withUnsafeBytes { (bytes) throws(ReportError) in try append(index: index, item: bytes, facts) }
    }

    /// Writes nulls for the results that are missing of `count`, and the end of the format.
    ///
    /// - Throws: `ReportError` where the file cannot be written.
    public consuming func finish(count: Int) throws(ReportError) {
        try appendMissing(below: count)
        try close()
        try file.finish()
    }

    /// Writes as much as possible when the rest will not come, in a form that can be read.
    ///
    /// - Returns: the name of the file that contains it; nil where there is none.
    public consuming func abandon() -> String? {
        if written > 0 { try? close() }
        return file.abandon()
    }

    private mutating func close() throws(ReportError) {
        switch format {
        case .jsonLines: break
        case .json: file.buffer.append(utf8: written == 0 ? "[]\n" : "\n]\n")
        case .csv:
            var table = ResultTable(lines: file.buffer.take(), numbers: numbers)
            (table.fields, table.rows) = (fields, rows.take())
            try table.write(to: &file)
        }
    }

    /// Writes out what has been appended so far.
    ///
    /// A table waits, because it needs all results.
    ///
    /// - Throws: `ReportError` where the file cannot be written.
    public mutating func flush() throws(ReportError) { if format != .csv { try file.flush() } }

    private mutating func appendMissing(below index: Int) throws(ReportError) {
        while written < index {
            try beginResult()
            file.buffer.append(utf8: "null")
            try endResult(ExampleFacts())
        }
    }

    private mutating func beginResult() throws(ReportError) {
        if format == .json { file.buffer.append(utf8: written == 0 ? "[\n" : ",\n") }
        guard !fields.isEmpty, format != .csv else { return }
        file.buffer.append(utf8: "{\"index\":\(numbers?[written] ?? written + 1),\"result\":")
    }

    private mutating func endResult(_ facts: ExampleFacts) throws(ReportError) {
        written += 1
        if !fields.isEmpty {
            if format == .csv {
                facts.appendArray(fields, to: &rows)
                rows.append(UInt8(ascii: "\n"))
            } else {
                facts.appendMembers(fields, to: &file.buffer)
                file.buffer.append(utf8: "}")
            }
        }
        if format != .json { file.buffer.append(UInt8(ascii: "\n")) }
        if format != .csv { try file.flushIfFull() }
    }
}
