import Glibc
import Testing

/// An `ameexec` that a test started, in a separate session; what is left of it is killed with the object.
final class Launched {
    let pid: pid_t
    private let output: Int32
    private let error: Int32
    private var waitStatus: Int32?

    /// Starts `ameexec` with `arguments`.
    ///
    /// - Parameters:
    ///   - input: What it reads on standard input.
    ///   - terminal: Its terminal, in place of files for its standard streams.
    init(_ arguments: [String], input: String = "", terminal: Terminal? = nil) throws {
        output = try temporaryFile()
        error = try temporaryFile()
        let inputFile = try temporaryFile()
        defer { close(inputFile) }
        try #require(pwrite(inputFile, input, input.utf8.count, 0) == input.utf8.count)

        var actions = posix_spawn_file_actions_t()
        var attributes = posix_spawnattr_t()
        posix_spawn_file_actions_init(&actions)
        posix_spawnattr_init(&attributes)
        defer {
            posix_spawn_file_actions_destroy(&actions)
            posix_spawnattr_destroy(&attributes)
        }
        if let terminal {
            // The leader of a session without a terminal gets the first that it opens.
            for standard: Int32 in 0...2 {
                posix_spawn_file_actions_addopen(&actions, standard, terminal.name, O_RDWR, 0)
            }
        } else {
            posix_spawn_file_actions_adddup2(&actions, inputFile, 0)
            posix_spawn_file_actions_adddup2(&actions, output, 1)
            posix_spawn_file_actions_adddup2(&actions, error, 2)
        }
        var every = sigset_t()
        var none = sigset_t()
        sigfillset(&every)
        sigemptyset(&none)
        posix_spawnattr_setsigdefault(&attributes, &every)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK) | 0x80)
        var words = ([ameexecPath()] + arguments).map { strdup($0) } + [nil]
        defer { words.forEach { free($0) } }
        var pid: pid_t = 0
        try #require(posix_spawn(&pid, ameexecPath(), &actions, &attributes, &words, environ) == 0)
        self.pid = pid
    }

    deinit {
        // The guardian ends the ranks.
        if waitStatus == nil {
            kill(pid, SIGKILL)
            waitpid(pid, nil, 0)
        }
        close(output)
        close(error)
    }

    /// Waits for its end: its exit status, 128 + n where signal n killed it.
    func wait() throws -> Int32 {
        if waitStatus == nil {
            var status: Int32 = 0
            try eventually("ameexec ends") { waitpid(pid, &status, WNOHANG) == pid }
            waitStatus = status
        }
        let status = waitStatus ?? 0
        return status & 0x7F == 0 ? status >> 8 & 0xFF : 128 + status & 0x7F
    }

    /// Sends it a signal.
    func signal(_ signal: Int32) { kill(pid, signal) }

    /// What it has written to standard output.
    var outputText: String { contents(output) }
    /// What it has written to standard error.
    var errorText: String { contents(error) }
}

/// The outcome of an `ameexec` that has ended.
struct Outcome: Equatable {
    var status: Int32
    var output: String
    var error: String
}

/// Runs `ameexec` with `arguments` to its end.
func ameexec(_ arguments: String..., input: String = "") throws -> Outcome {
    let launched = try Launched(arguments, input: input)
    let status = try launched.wait()
    return Outcome(status: status, output: launched.outputText, error: launched.errorText)
}

/// Waits until `condition` holds; fails the test after a minute, which is far longer than anything here takes.
func eventually(_ what: Comment, _ condition: () -> Bool) throws {
    for _ in 0..<12_000 {
        if condition() { return }
        usleep(5_000)
    }
    try #require(condition(), what)
}

/// Whether a process with the argument `word` runs.
func isRunning(_ word: String) -> Bool {
    guard let processes = opendir("/proc") else { return false }
    defer { closedir(processes) }
    while let entry = readdir(processes) {
        let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
            String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
        guard Int(name) != nil else { continue }
        let file = open("/proc/\(name)/cmdline", O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { continue }
        defer { close(file) }
        if contents(file).split(separator: "\0").contains(Substring(word)) { return true }
    }
    return false
}

/// The path of the program that was built along with the tests, in the same directory.
private func ameexecPath() -> String {
    var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
    let count = readlink("/proc/self/exe", &buffer, buffer.count)
    let tests = String(decoding: buffer.prefix(max(count, 0)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    return tests.split(separator: "/").dropLast().map { "/" + $0 }.joined() + "/ameexec"
}

/// Creates a file without a name.
private func temporaryFile() throws -> Int32 {
    var name = Array("/tmp/ameexec-test-XXXXXX".utf8CString)
    let file = mkstemp(&name)
    try #require(file >= 0)
    _ = fcntl(file, F_SETFD, FD_CLOEXEC)
    unlink(name)
    return file
}

/// Returns the whole contents of a file.
private func contents(_ file: Int32) -> String {
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while true {
        let count = pread(file, &buffer, buffer.count, off_t(bytes.count))
        if count <= 0 { return String(decoding: bytes, as: UTF8.self) }
        bytes += buffer[..<count]
    }
}
