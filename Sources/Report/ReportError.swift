#if canImport(Glibc)
    import Glibc
#endif

/// The reason why results or reports could not be written.
public struct ReportError: Error, Sendable, Equatable, CustomStringConvertible {
    /// One sentence for the user: what went wrong, where, and what to do.
    public var description: String

    /// The example, from 1, whose result is the cause; nil where the file is the cause.
    public var example: Int?

    init(_ description: String, example: Int? = nil) {
        self.description = description
        self.example = example
    }

    /// An error for which the system returned `code`.
    init(_ description: String, code: Int32) { self.description = "\(description): \(String(cString: strerror(code)))" }
}
