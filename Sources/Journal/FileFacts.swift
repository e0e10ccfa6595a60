import DLP
import Glibc

/// The current state of files that examples have read; each file is looked at once.
struct FileFacts {
    private var known: [[UInt8]: ExampleTrace.File] = [:]

    /// Returns the files of a trace that have changed since, for messages.
    mutating func changes(in trace: ExampleTrace?) -> [String] {
        (trace?.files ?? []).filter { facts(of: $0.path) != $0 }.map {
            "the file \(SystemString(bytes: $0.path))"
        }
    }

    private mutating func facts(of path: [UInt8]) -> ExampleTrace.File {
        if let facts = known[path] { return facts }
        var found = ExampleTrace.File(path: path, size: -1, seconds: 0, nanoseconds: 0)
        var status = stat()
        if stat(SystemString(bytes: path).cString, &status) == 0 {
            (found.size, found.seconds) = (Int64(status.st_size), Int64(status.st_mtim.tv_sec))
            found.nanoseconds = Int64(status.st_mtim.tv_nsec)
        }
        known[path] = found
        return found
    }
}
