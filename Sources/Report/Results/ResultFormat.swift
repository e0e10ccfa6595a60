public import DLP

/// The form in which results are written.
public enum ResultFormat: String, Sendable, CaseIterable {
    /// One line of JSON per result.
    case jsonLines = "jsonl"
    /// One JSON array.
    case json
    /// A table, RFC 4180.
    case csv

    /// The format that a file's name asks for by its ending.
    ///
    /// - Throws: `ReportError` where the ending is of no format.
    public init(path: SystemString) throws(ReportError) {
        guard let format = OutputFile.ending(of: path).flatMap({ ResultFormat(rawValue: $0) }) else {
            throw ReportError("cannot tell the format of \(path): give the output file a name in .jsonl, .json or .csv")
        }
        self = format
    }
}
