import DLP

#if canImport(Glibc)
    import Glibc
#endif

/// A file, or another descriptor, that is written from its beginning to its end through a buffer.
struct OutputFile: ~Copyable {
    private static let bufferSize = 1 << 16

    /// What has not been written yet: append to it, then call `flushIfFull`.
    var buffer = ByteWriter(capacity: OutputFile.bufferSize)

    private let descriptor: Int32
    /// What is written, and where, for errors.
    private let content: String
    private let name: String
    /// Whether the descriptor is ours to close.
    private var isOwned: Bool

    /// Creates the file at `path`, or empties it; errors call what it is for `content`.
    ///
    /// - Throws: `ReportError` where that is not possible.
    init(path: SystemString, for content: String = "the results") throws(ReportError) {
        let descriptor = open(path.cString, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else {
            let code = errno
            throw ReportError("cannot write \(content) to \(path)", code: code)
        }
        self.init(descriptor: descriptor, content: content, name: path.description, isOwned: true)
    }

    /// An output of results on a descriptor that stays the caller's; errors call it `name`.
    init(descriptor: Int32, name: String) {
        self.init(descriptor: descriptor, content: "the results", name: name, isOwned: false)
    }

    private init(descriptor: Int32, content: String, name: String, isOwned: Bool) {
        self.descriptor = descriptor
        self.content = content
        self.name = name
        self.isOwned = isOwned
    }

    /// Writes what is in the buffer if that has become much.
    ///
    /// - Throws: `ReportError` where the system refuses, for example because the disk is full.
    mutating func flushIfFull() throws(ReportError) {
        if buffer.count >= Self.bufferSize { try flush() }
    }

    /// Writes what is in the buffer.
    ///
    /// - Throws: `ReportError` where the system refuses, for example because the disk is full.
    mutating func flush() throws(ReportError) {
        let code = buffer.withUnsafeMutableBytes { writeFully(UnsafeRawBufferPointer($0), to: descriptor) }
        buffer.truncate(to: 0)
        if code != 0 { throw ReportError("cannot write \(content) to \(name)", code: code) }
    }

    /// Writes the rest, and closes the file if it is ours.
    ///
    /// - Throws: `ReportError` where the system refuses; some file systems say only here that the disk is full.
    mutating func finish() throws(ReportError) {
        try flush()
        guard isOwned else { return }
        isOwned = false
        if close(descriptor) != 0, errno != EINTR {
            throw ReportError("cannot write \(content) to \(name)", code: errno)
        }
    }

    /// What stands behind the last point of a file's name, in lower case; nil where there is none.
    static func ending(of path: SystemString) -> String? {
        let name = path.description.split(separator: "/").last ?? ""
        let parts = name.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count > 1 ? parts.last?.lowercased() : nil
    }

    deinit { if isOwned { close(descriptor) } }
}
