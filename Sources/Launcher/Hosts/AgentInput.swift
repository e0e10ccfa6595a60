import Glibc

/// The standard input of a rank, which comes from the launcher.
final class AgentInput {
    /// The rank's end of the pipe, until the rank has it.
    private(set) var reader: Int32
    private let writer: Int32
    private var queue: [UInt8] = []
    private var written = 0
    /// Whether the launcher has sent everything.
    private var hasEnded = false
    private var isOpen = true
    private var isWatched = false

    init() throws(LaunchError) {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { throw LaunchError(system: "cannot make a pipe for standard input") }
        (reader, writer) = (ends[0], ends[1])
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        _ = fcntl(writer, F_SETFL, O_NONBLOCK)
    }

    deinit {
        closeReader()
        if isOpen { close(writer) }
    }

    /// Closes the rank's end here, once the rank has it.
    func closeReader() {
        if reader >= 0 { close(reader) }
        reader = -1
    }

    /// Adds bytes for the rank to read; an empty array means the end.
    func add(_ bytes: [UInt8]) {
        if bytes.isEmpty { hasEnded = true } else { queue += bytes }
    }

    /// Passes bytes on as far as the rank takes them.
    ///
    /// For the rest, lets `poller` report room under `number`.
    ///
    /// - Returns: how many bytes the rank has taken. A rank that stops reading takes none, and so is sent nothing
    ///   more.
    func pass(by poller: Poller, as number: Int) -> Int {
        guard isOpen else { return 0 }
        let start = written
        var isLost = false
        while written < queue.count && !isLost {
            let count = queue.withUnsafeBytes {
                write(writer, $0.baseAddress.unsafelyUnwrapped + written, $0.count - written)
            }
            if count >= 0 {
                written += count
            } else if errno == EAGAIN {
                break
            } else if errno != EINTR {
                isLost = true
            }
        }
        let passed = written - start
        let isPending = written < queue.count && !isLost
        if !isPending {
            queue = []
            written = 0
        } else if written > AgentRules.window {
            queue.removeFirst(written)
            written = 0
        }
        if isPending != isWatched {
            isWatched = isPending
            if isPending { poller.add(writer, as: number, for: .output) } else { poller.remove(writer) }
        }
        if isLost || hasEnded && !isPending {
            close(writer)
            isOpen = false
            queue = []
        }
        return passed
    }
}
