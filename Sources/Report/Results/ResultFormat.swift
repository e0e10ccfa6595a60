/// The form in which results are written.
public enum ResultFormat: String, Sendable, CaseIterable {
    /// One line of JSON per result.
    case jsonLines = "jsonl"
    /// One JSON array.
    case json
    /// A table, RFC 4180.
    case csv

    /// The form that the name of a file asks for.
    ///
    /// - Throws: `ReportError` where it asks for none of them.
    public init(path: String) throws(ReportError) {
        let name = path.split(separator: "/").last ?? ""
        let parts = name.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count > 1, let ending = parts.last, let format = ResultFormat(rawValue: ending.lowercased()) else {
            throw ReportError("cannot tell the format of \(path): give the output file a name in .jsonl, .json or .csv")
        }
        self = format
    }
}
