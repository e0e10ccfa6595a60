import DLP

#if canImport(Glibc)
    import Glibc
#endif

/// A file, or another descriptor, that is written from its beginning to its end through a buffer.
///
/// A file takes its place when it is complete: until then it is written beside it, under a name that says so, and what was
/// there before stays. What is no plain file, such as a terminal or a pipe, is written where it is.
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
    /// Where the file is to be; nil where it is written in its place.
    private let target: OutputTarget?
    /// Whether the disk has any of it.
    private var isBegun = false

    /// Creates a file that is to be at `path`; errors call what it is for `content`.
    ///
    /// - Throws: `ReportError` where that is not possible.
    init(path: SystemString, for content: String = "the results") throws(ReportError) {
        let target: OutputTarget?
        let descriptor: Int32
        do throws(SystemRefusal) {
            target = try OutputTarget(path: path)
            if let target { descriptor = try target.create() } else { descriptor = try Self.open(path) }
        } catch { throw ReportError("cannot write \(content) to \(path)", code: error.code) }
        self.init(descriptor: descriptor, content: content, name: path.description, isOwned: true, target: target)
    }

    private static func open(_ path: SystemString) throws(SystemRefusal) -> Int32 {
        let descriptor = Glibc.open(path.cString, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else { throw SystemRefusal(code: errno) }
        return descriptor
    }

    /// An output of results on a descriptor that stays the caller's; errors call it `name`.
    init(descriptor: Int32, name: String) {
        self.init(descriptor: descriptor, content: "the results", name: name, isOwned: false, target: nil)
    }

    private init(descriptor: Int32, content: String, name: String, isOwned: Bool, target: OutputTarget?) {
        self.descriptor = descriptor
        self.content = content
        self.name = name
        self.isOwned = isOwned
        self.target = target
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
        if buffer.count > 0 { isBegun = true }
        let code = buffer.withUnsafeMutableBytes { writeFully(UnsafeRawBufferPointer($0), to: descriptor) }
        buffer.truncate(to: 0)
        if code != 0 { throw ReportError("cannot write \(content) to \(name)", code: code) }
    }

    /// Writes the rest, closes the file if it is ours, and puts it into its place.
    ///
    /// - Throws: `ReportError` where the system refuses; some file systems say only here that the disk is full.
    mutating func finish() throws(ReportError) {
        try flush()
        guard isOwned else { return }
        isOwned = false
        do throws(SystemRefusal) {
            if close(descriptor) != 0, errno != EINTR { throw SystemRefusal(code: errno) }
            try target?.takePlace()
        } catch {
            let place = target == nil ? "" : "; what there is is in \(OutputTarget.partialName(of: SystemString(name)))"
            throw ReportError("cannot write \(content) to \(name)\(place)", code: error.code)
        }
    }

    /// Writes the rest as far as possible, and leaves the file beside its place, for it is not complete.
    ///
    /// - Returns: what it is called; nil where there is nothing in it, or where it is no file of its own.
    mutating func abandon() -> String? {
        try? flush()
        guard isOwned else { return nil }
        isOwned = false
        return leave()
    }

    /// Closes the file; nothing is left of one with nothing in it.
    private func leave() -> String? {
        close(descriptor)
        guard let target else { return nil }
        guard isBegun else {
            target.remove()
            return nil
        }
        return OutputTarget.partialName(of: SystemString(name)).description
    }

    /// What stands behind the last point of a file's name, in lower case; nil where there is none.
    static func ending(of path: SystemString) -> String? {
        let name = path.description.split(separator: "/").last ?? ""
        let parts = name.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count > 1 ? parts.last?.lowercased() : nil
    }

    deinit { if isOwned { _ = leave() } }
}
