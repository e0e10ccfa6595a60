import DLP
import Glibc

/// A check for options that name the same file, of which one would destroy what the other reads or has written.
enum FileClash {
    /// - Parameter files: the purpose of each file, as the user knows it, and its path where it is given.
    /// - Throws: `UsageError` where two paths are the same file.
    static func check(_ files: [(use: String, path: SystemString?)]) throws(UsageError) {
        var uses: [SystemString: String] = [:]
        for case (let use, let path?) in files {
            guard let identity = identity(of: path) else { continue }
            if let other = uses.updateValue(use, forKey: identity) {
                throw UsageError("\(other) and \(use) name the same file, \(path): give each its own")
            }
        }
    }

    /// Returns a text that is equal for two paths of one file; nil for anything but files, such as a terminal.
    private static func identity(of path: SystemString) -> SystemString? {
        var status = stat()
        if stat(path.cString, &status) == 0 {
            return status.st_mode & S_IFMT == S_IFREG ? SystemString("\(status.st_dev):\(status.st_ino)") : nil
        }
        let slash = path.bytes.lastIndex(of: UInt8(ascii: "/"))
        let directory = slash.map { SystemString(bytes: path.bytes[...$0]) } ?? "."
        guard let full = realpath(directory.cString, nil) else { return nil }
        defer { free(full) }
        let name = SystemString(bytes: path.bytes[(slash.map { $0 + 1 } ?? 0)...])
        return SystemString(cString: full) + "/" + name
    }
}
