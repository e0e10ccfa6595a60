#if canImport(Glibc)
    import Glibc
#endif

/// Why results or reports could not be written.
public struct ReportError: Error, Sendable, Equatable, CustomStringConvertible {
    /// One sentence for the user: what went wrong, where, and what to do.
    public var description: String

    init(_ description: String) { self.description = description }

    /// An error that the system gave `code` for.
    init(_ description: String, code: Int32) { self.description = "\(description): \(String(cString: strerror(code)))" }
}
