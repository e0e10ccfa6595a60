import Glibc
import Testing

/// A directory that goes with the object, and the files that tests make in it.
final class Directory {
    let path: String

    init() throws {
        var name = Array("/tmp/dlp-lua-test-XXXXXX".utf8CString)
        try #require(mkdtemp(&name) != nil)
        path = String(decoding: name.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    deinit {
        for name in ["file", "mine", "data"] { unlink("\(path)/\(name)") }
        rmdir(path)
    }
}
