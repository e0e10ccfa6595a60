public import DLP
import Glibc

/// A directory with a folder for each example, named by its index from 1, in which stands what its command wrote: the files
/// `stdout`, `stderr` and `status`.
///
/// `status` is written last, so that a folder without it is not complete: a command that took too long has none, or one
/// whose rank was lost, or one that the end of the job has cut short.
public struct OutputFolders: Sendable {
    /// What a command has left: all that it wrote, and its status.
    typealias Outcome = (stdout: UnsafeRawBufferPointer, stderr: UnsafeRawBufferPointer, status: Int)

    private let path: SystemString
    /// The directories that were not there before, the innermost last.
    private var made: [SystemString] = []

    /// Makes the directory, and what it lies in, where it is not there, and sees that it can be written.
    ///
    /// - Throws: `ScriptError` where it cannot.
    public init(at path: SystemString) throws(ScriptError) {
        self.path = path
        let slashes = path.bytes.indices.dropFirst().filter { path.bytes[$0] == UInt8(ascii: "/") }
        for outer in slashes.map({ SystemString(bytes: path.bytes[..<$0]) }) + [path] {
            if mkdir(outer.cString, 0o777) == 0 { made.append(outer) }
        }
        guard Self.makeDirectory(path), access(path.cString, W_OK | X_OK) == 0 else {
            throw ScriptError(message: "--outputs \(path): \(systemMessage(errno))")
        }
    }

    /// Takes away the directories that it has made, where nothing has been written to them.
    public func removeIfUnused() { for directory in made.reversed() where rmdir(directory.cString) != 0 { return } }

    /// Writes what a command has left, in place of what an earlier job did; nil where it left nothing.
    ///
    /// - Throws: `CallError` where that cannot be written.
    func write(_ outcome: Outcome?, of index: Int) throws {
        let folder = path + "/" + SystemString("\(index)")
        guard Self.makeDirectory(folder) else { throw failure(folder) }
        let files = ["status", "stdout", "stderr"].map { folder + "/" + SystemString($0) }
        guard unlink(files[0].cString) == 0 || errno == ENOENT else { throw failure(files[0]) }
        guard let outcome else {
            for file in files.dropFirst() { unlink(file.cString) }
            return
        }
        let status = Array("\(outcome.status)\n".utf8)
        try status.withUnsafeBytes { status throws in
            for (file, bytes) in zip(files, [status, outcome.stdout, outcome.stderr]).reversed() {
                errno = Self.write(bytes, to: file)
                guard errno == 0 else { throw failure(file) }
            }
        }
    }

    private static func makeDirectory(_ path: SystemString) -> Bool {
        if mkdir(path.cString, 0o777) == 0 { return true }
        guard errno == EEXIST else { return false }
        var status = stat()
        guard stat(path.cString, &status) == 0 else { return false }
        errno = ENOTDIR
        return status.st_mode & S_IFMT == S_IFDIR
    }

    /// Writes a file; 0, or the reason why it cannot.
    private static func write(_ bytes: UnsafeRawBufferPointer, to path: SystemString) -> Int32 {
        let file = open(path.cString, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
        guard file >= 0 else { return errno }
        let reason = writeFully(bytes, to: file)
        // Some file systems tell only now that nothing is left.
        let isClosed = close(file) == 0
        return reason != 0 || isClosed ? reason : errno
    }

    private func failure(_ path: SystemString) -> CallError {
        .script("what a command wrote cannot be kept: \(path): \(systemMessage(errno))")
    }
}
