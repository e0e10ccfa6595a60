public import Glibc

/// A directory for the files of one test; it is removed with the object.
public final class TemporaryDirectory: Sendable {
    /// The path of the directory.
    public let path: String

    /// Creates an empty directory below `/tmp`.
    ///
    /// - Throws: `SystemCallFailure`, like all methods that write here.
    public init() throws {
        var name = Array("/tmp/dlp-lua-test-XXXXXX".utf8CString)
        guard mkdtemp(&name) != nil else { throw SystemCallFailure(code: errno) }
        path = String(decoding: name.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    deinit { Self.remove(path) }

    private static func remove(_ path: String) {
        // A symbolic link is not followed.
        guard unlink(path) != 0 else { return }
        for name in entries(of: path) { remove("\(path)/\(name)") }
        rmdir(path)
    }

    /// The path of a file.
    public func file(_ name: String) -> String { "\(path)/\(name)" }

    /// Writes a file, replacing an existing one, whose mode it keeps unless `mode` is given.
    public func write(_ name: String, _ text: String, mode: mode_t? = nil) throws {
        try write(name, bytes: Array(text.utf8), mode: mode)
    }

    /// Writes a file of any bytes.
    public func write(_ name: String, bytes: [UInt8], mode: mode_t? = nil) throws {
        let descriptor = open(file(name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode ?? 0o644)
        guard descriptor >= 0 else { throw SystemCallFailure(code: errno) }
        defer { close(descriptor) }
        guard Glibc.write(descriptor, bytes, bytes.count) == bytes.count else { throw SystemCallFailure(code: errno) }
        guard let mode else { return }
        guard fchmod(descriptor, mode) == 0 else { throw SystemCallFailure(code: errno) }
    }

    /// The text of a file; nil where there is none.
    public func read(_ name: String) -> String? { bytes(name).map { String(decoding: $0, as: UTF8.self) } }

    /// The bytes of a file; nil where there is none.
    public func bytes(_ name: String) -> [UInt8]? {
        let descriptor = open(file(name), O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        return contents(of: descriptor)
    }

    /// The sorted names of the directory's entries.
    public var names: [String] { entries(of: path).sorted() }
}

/// A failed system call that a test needs.
public struct SystemCallFailure: Error {
    /// As in `errno`.
    public var code: Int32
}

/// Returns the whole contents of a file.
public func contents(of file: Int32) -> [UInt8] {
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while true {
        let count = pread(file, &buffer, buffer.count, off_t(bytes.count))
        if count <= 0 { return bytes }
        bytes += buffer[..<count]
    }
}

/// Returns the names in a directory.
public func entries(of path: String) -> [String] {
    guard let directory = opendir(path) else { return [] }
    defer { closedir(directory) }
    var names: [String] = []
    while let entry = readdir(directory) {
        let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
            String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
        if name != "." && name != ".." { names.append(name) }
    }
    return names
}
