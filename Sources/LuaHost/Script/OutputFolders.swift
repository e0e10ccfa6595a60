public import DLP
import Glibc

/// A directory with a folder for each example, named by the example's index from 1.
///
/// The folder contains the output of the example's command: the files `stdout`, `stderr` and `status`.
///
/// `status` is written last, so a folder without it is not complete. It is missing if a command took too long, if its rank was
/// lost, or if the end of the job cut it short.
public struct OutputFolders: Sendable {
    /// What a command has left: all of its output, and its status.
    typealias Outcome = (stdout: UnsafeRawBufferPointer, stderr: UnsafeRawBufferPointer, status: Int)

    private let path: SystemString
    /// The directories that this job has made, the innermost last.
    private var made: [SystemString] = []

    /// Makes the directory and its parents, unless they exist, and checks that it can be written.
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

    /// Removes the directories that it has made, if nothing has been written to them.
    public func removeIfUnused() { for directory in made.reversed() where rmdir(directory.cString) != 0 { return } }

    /// Writes what a command has left, and replaces what an earlier job left; nil where the command left nothing.
    ///
    /// - Throws: `ScriptError` where that cannot be written.
    func write(_ outcome: Outcome?, of index: Int) throws(ScriptError) {
        let folder = path + "/" + SystemString("\(index)")
        guard Self.makeDirectory(folder) else { throw failure(folder) }
        let files = ["status", "stdout", "stderr"].map { folder + "/" + SystemString($0) }
        guard unlink(files[0].cString) == 0 || errno == ENOENT else { throw failure(files[0]) }
        guard let outcome else {
            for file in files.dropFirst() { unlink(file.cString) }
            return
        }
        let status = Bytes(Array("\(outcome.status)\n".utf8))
        try status.withUnsafeBytes { (status) throws(ScriptError) in
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

    /// Writes a file; returns 0, or the reason (`errno`) why it cannot.
    private static func write(_ bytes: UnsafeRawBufferPointer, to path: SystemString) -> Int32 {
        let file = open(path.cString, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
        guard file >= 0 else { return errno }
        let reason = writeFully(bytes, to: file)
        // Some file systems report only on closing that no space is left.
        let isClosed = close(file) == 0
        return reason != 0 || isClosed ? reason : errno
    }

    private func failure(_ path: SystemString) -> ScriptError {
        ScriptError(message: "what a command wrote cannot be kept: \(path): \(systemMessage(errno))")
    }
}
