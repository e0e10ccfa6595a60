import Glibc

/// The launcher's standard input, which is sent to a rank on some host.
final class JobInput {
    /// How many bytes may be read before the rank has taken some.
    private var credit = AgentRules.window
    private let poller: Poller
    private let number: Int
    /// A second file description of the same file, for reading without blocking, where that is possible.
    ///
    /// Another reader of the file may take bytes that were reported as available.
    private let nonBlocking: Int32?
    /// Whether it can be polled; files cannot.
    private var isWatched = false
    private var hasEnded = false
    /// Why it could not be read to its end; nil where it could.
    private var failure: Int32?
    private var buffer = [UInt8](repeating: 0, count: 1 << 16)

    /// Uses the poller's number `number`.
    init(poller: Poller, number: Int) {
        self.poller = poller
        self.number = number
        var information = stat()
        let type = fstat(0, &information) == 0 ? information.st_mode & S_IFMT : 0
        var opened: Int32 = -1
        // A descriptor that is open for writing only is not reopened for reading.
        if fcntl(0, F_GETFL) & O_ACCMODE != O_WRONLY, type == S_IFIFO || type == S_IFCHR {
            opened = open("/proc/self/fd/0", O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)
        }
        nonBlocking = opened >= 0 ? opened : nil
        isWatched = poller.addIfPossible(watched, as: number)
        isReady = !isWatched
    }

    deinit {
        if let nonBlocking { close(nonBlocking) }
    }

    private var watched: Int32 { nonBlocking ?? 0 }

    /// Whether something can be read without waiting.
    private var isReady = false

    /// Notes that the poller has reported input.
    func becomesReady() { isReady = true }

    /// Notes that the rank has taken some bytes.
    func add(credit more: Int) {
        let before = credit
        credit = min(credit + more, AgentRules.window)
        if before == 0, isWatched, !hasEnded { poller.add(watched, as: number, for: .input) }
    }

    /// Returns the bytes that have come, as far as the rank has room; an empty array at the end, and nil where
    /// nothing has come.
    func next() -> [UInt8]? {
        guard isReady, credit > 0, !hasEnded else { return nil }
        let count = read(watched, &buffer, min(buffer.count, credit))
        if count < 0 && (errno == EINTR || errno == EAGAIN) {
            isReady = !isWatched
            return nil
        }
        // A descriptor that is not open for reading has nothing to give.
        if count < 0, errno != EBADF { failure = errno }
        if isWatched { isReady = false }
        credit -= max(count, 0)
        hasEnded = count <= 0
        if isWatched, hasEnded || credit == 0 { poller.remove(watched) }
        return Array(buffer[..<max(count, 0)])
    }

    /// Returns why it could not be read to its end; only once.
    func takeFailure() -> Int32? { failure.take() }

    /// Stops reading, because no rank reads it any more.
    func end() {
        if isWatched, !hasEnded, credit > 0 { poller.remove(watched) }
        hasEnded = true
    }
}
