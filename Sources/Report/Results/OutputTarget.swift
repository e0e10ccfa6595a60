import CSystem
import DLP
import Glibc

/// A failed system call.
struct SystemRefusal: Error {
    /// Its `errno`.
    let code: Int32
}

/// The place of a file that moves there when it is complete.
///
/// The directory is held open, so that the place stays the same when the working directory changes.
final class OutputTarget {
    private let directory: Int32
    private let name: SystemString
    /// The permissions of the existing file.
    private let mode: mode_t?

    /// The place at `path`; nil where something exists there that is not a plain file, and must be written directly.
    ///
    /// - Throws: where it cannot be written.
    init?(path: SystemString) throws(SystemRefusal) {
        var status = stat()
        // A symbolic link stays, and the file that it points to is replaced.
        let isLink = lstat(path.cString, &status) == 0 && status.st_mode & S_IFMT == S_IFLNK
        let resolved = isLink ? realpath(path.cString, nil) : nil
        defer { free(resolved) }
        // A link to nothing can only be followed by the system.
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
        // If the file may be written but its directory may not, the file is written directly.
        if isThere, access(parent.cString, W_OK | X_OK) != 0 { return nil }
        directory = dlp_open_directory(parent.cString)
        guard directory >= 0 else { throw SystemRefusal(code: errno) }
    }

    deinit { close(directory) }

    /// The name of the file while it is not complete.
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

    /// Moves the complete file to its place.
    func takePlace() throws(SystemRefusal) {
        guard renameat(directory, partialName, directory, name.cString) == 0 else { throw SystemRefusal(code: errno) }
    }

    /// Removes the file, which is empty.
    func remove() { unlinkat(directory, partialName, 0) }
}
