import DLP

#if canImport(Glibc)
    import Glibc
#endif

/// A file, or another descriptor, that is written from beginning to end through a buffer.
///
/// A file appears in its place when it is complete. Until then it is written beside it, under a name that marks it as
/// partial, and an existing file stays. Anything that is not a plain file, such as a terminal or a pipe, is written
/// directly.
struct OutputFile: ~Copyable {
    private static let bufferSize = 1 << 16

    /// The data that has not been written yet: append to it, then call `flushIfFull`.
    var buffer = ByteWriter(capacity: OutputFile.bufferSize)

    private let descriptor: Int32
    /// The kind of content, and the name of the output, for errors.
    private let content: String
    private let name: String
    /// Whether we must close the descriptor.
    private var isOwned: Bool
    /// The final place of the file; nil where it is written directly.
    private let target: OutputTarget?
    /// Whether anything has been written.
    private var isBegun = false

    /// Creates a file that will appear at `path`.
    ///
    /// Errors name its contents by `content`.
    ///
    /// - Throws: `ReportError` where it cannot be created.
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

    /// An output of results to a descriptor that the caller keeps; errors name it by `name`.
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

    /// Writes the buffer if it is large enough.
    ///
    /// - Throws: `ReportError` where the system reports an error, for example because the disk is full.
    mutating func flushIfFull() throws(ReportError) {
        if buffer.count >= Self.bufferSize { try flush() }
    }

    /// Writes the buffer.
    ///
    /// - Throws: `ReportError` where the system reports an error, for example because the disk is full.
    mutating func flush() throws(ReportError) {
        if buffer.count > 0 { isBegun = true }
        let code = buffer.withUnsafeMutableBytes { writeFully(UnsafeRawBufferPointer($0), to: descriptor) }
        buffer.truncate(to: 0)
        if code != 0 { throw ReportError("cannot write \(content) to \(name)", code: code) }
    }

    /// Writes the rest, closes the file if it is ours, and moves it to its place.
    ///
    /// - Throws: `ReportError` where the system reports an error; some file systems report only here that the disk is full.
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

    /// Writes the rest as far as possible, and leaves the incomplete file beside its place.
    ///
    /// - Returns: its name; nil where it is empty, or is written directly.
    mutating func abandon() -> String? {
        try? flush()
        guard isOwned else { return nil }
        isOwned = false
        return leave()
    }

    /// Closes the file, and removes it if it is empty.
    private func leave() -> String? {
        close(descriptor)
        guard let target else { return nil }
        guard isBegun else {
            target.remove()
            return nil
        }
        return OutputTarget.partialName(of: SystemString(name)).description
    }

    /// The part after the last point of a file's name, in lower case; nil where there is none.
    static func ending(of path: SystemString) -> String? {
        let name = path.description.split(separator: "/").last ?? ""
        let parts = name.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count > 1 ? parts.last?.lowercased() : nil
    }

    deinit { if isOwned { _ = leave() } }
}
