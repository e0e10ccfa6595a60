import CSystem
import DLP
import Glibc

/// A call of the system that failed.
struct SystemRefusal: Error {
    /// Its `errno`.
    let code: Int32
}

/// The place of a file that takes it when it is complete.
///
/// It is known by its directory, which is open, so that it stays the same whatever the present directory becomes.
final class OutputTarget {
    private let directory: Int32
    private let name: SystemString
    /// What the file that is there may be used for, and by whom.
    private let mode: mode_t?

    /// The place at `path`; nil where something is there that is no plain file, so that it must be written itself.
    ///
    /// - Throws: where it cannot be written.
    init?(path: SystemString) throws(SystemRefusal) {
        var status = stat()
        // A link stays, and what it leads to is replaced.
        let isLink = lstat(path.cString, &status) == 0 && status.st_mode & S_IFMT == S_IFLNK
        let resolved = isLink ? realpath(path.cString, nil) : nil
        defer { free(resolved) }
        // One that leads nowhere is followed by the system alone.
        if isLink, resolved == nil { return nil }
        let path = resolved.map { SystemString(cString: $0) } ?? path
        let isThere = stat(path.cString, &status) == 0
        if isThere {
            guard status.st_mode & S_IFMT == S_IFREG else { return nil }
            guard access(path.cString, W_OK) == 0 else { throw SystemRefusal(code: errno) }
        }
        mode = isThere ? status.st_mode & 0o7777 : nil
        let slash = path.bytes.lastIndex(of: UInt8(ascii: "/"))
        name = SystemString(bytes: path.bytes[(slash.map { $0 + 1 } ?? 0)...])
        let parent = slash.map { SystemString(bytes: path.bytes[...$0]) } ?? "./"
        // A file that may be written in a directory that may not is written in its place.
        if isThere, access(parent.cString, W_OK | X_OK) != 0 { return nil }
        directory = dlp_open_directory(parent.cString)
        guard directory >= 0 else { throw SystemRefusal(code: errno) }
    }

    deinit { close(directory) }

    /// What a file is called that is not complete.
    static func partialName(of path: SystemString) -> SystemString { path + ".partial" }

    private var partialName: [CChar] { Self.partialName(of: name).cString }

    /// Creates the file beside its place.
    ///
    /// - Returns: its descriptor.
    func create() throws(SystemRefusal) -> Int32 {
        let descriptor = openat(directory, partialName, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else { throw SystemRefusal(code: errno) }
        if let mode { fchmod(descriptor, mode) }
        return descriptor
    }

    /// Puts the file, which is complete, into its place.
    func takePlace() throws(SystemRefusal) {
        guard renameat(directory, partialName, directory, name.cString) == 0 else { throw SystemRefusal(code: errno) }
    }

    /// Removes the file, in which there is nothing.
    func remove() { unlinkat(directory, partialName, 0) }
}
