import Glibc

/// The places of the programs under test.
enum Program {
    /// The directory of dlp-lua and ameexec: `DLP_BINARIES`, where scripts/test has installed them, or the directory
    /// in which the tests were built.
    static let shipped = getenv("DLP_BINARIES").map { String(cString: $0) } ?? directory

    /// The directory in which the tests were built, along with the programs that only tests start.
    static let directory: String = {
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = readlink("/proc/self/exe", &buffer, buffer.count)
        return parent(String(decoding: buffer.prefix(max(count, 0)).map { UInt8(bitPattern: $0) }, as: UTF8.self))
    }()

    /// The directory of the package.
    static let root = parent(parent(parent(#filePath)))

    /// The directory of the scripts that come with the programs.
    static let scripts = "\(root)/scripts"

    /// A job that comes with the programs.
    static func example(_ name: String) -> String { "\(scripts)/examples/\(name)" }

    private static func parent(_ path: String) -> String {
        path.split(separator: "/").dropLast().map { "/" + $0 }.joined()
    }
}
