import Glibc

/// Options that name the same file: one would destroy what the other reads or has written.
enum FileClash {
    /// - Parameter files: what each file is for, as its user knows it, and its path where it is wanted.
    /// - Throws: `UsageError` where two are one file.
    static func check(_ files: [(use: String, path: String?)]) throws(UsageError) {
        var uses: [String: String] = [:]
        for case (let use, let path?) in files {
            guard let identity = identity(of: path) else { continue }
            if let other = uses.updateValue(use, forKey: identity) {
                throw UsageError("\(other) and \(use) name the same file, \(path): give each its own")
            }
        }
    }

    /// What two paths of one file have in common; nil for what is no file, such as a terminal.
    private static func identity(of path: String) -> String? {
        var status = stat()
        if stat(path, &status) == 0 {
            return status.st_mode & S_IFMT == S_IFREG ? "\(status.st_dev):\(status.st_ino)" : nil
        }
        let parts = path.split(separator: "/", omittingEmptySubsequences: false)
        let parent = parts.dropLast().joined(separator: "/")
        let directory = parts.count == 1 ? "." : parent.isEmpty ? "/" : parent
        guard let name = parts.last, let full = realpath(directory, nil) else { return nil }
        defer { free(full) }
        return "\(String(cString: full))/\(name)"
    }
}
