import CSystem
import Glibc

/// Standard output or standard error of the launcher, or both where they are the same file.
///
/// It never blocks: bytes that the reader does not take stay queued, and `isFull` says when ranks should not be read
/// from.
final class Output {
    /// If this number of bytes is queued, ranks should not be read from.
    private static let limit = 1 << 18

    let descriptor: Int32
    let isTerminal: Bool
    var lines: LineMux
    private(set) var status = StatusLine()
    private var queue: [UInt8] = []
    private var written = 0
    /// A second file description of the same file, for writing without blocking, where that is possible.
    ///
    /// `O_NONBLOCK` on `descriptor` itself would also affect all other processes that share it, such as the shell.
    private let nonBlocking: Int32?
    /// Whether writing to `descriptor` never waits for a reader.
    private let isFile: Bool
    /// Why writing became impossible; everything written after that is dropped.
    private var failure: Int32?
    private var isFailureTaken = false

    /// Writes to `descriptor`, which still belongs to the caller.
    init(descriptor: Int32) {
        self.descriptor = descriptor
        isTerminal = isatty(descriptor) == 1
        lines = LineMux(redraws: isTerminal)
        var information = stat()
        let type = fstat(descriptor, &information) == 0 ? information.st_mode & S_IFMT : 0
        isFile = type == S_IFREG
        var opened: Int32 = -1
        // A descriptor that is open for reading only is not reopened for writing.
        let isWritable = fcntl(descriptor, F_GETFL) & O_ACCMODE != O_RDONLY
        if isWritable, type == S_IFIFO || type == S_IFCHR {
            opened = open("/proc/self/fd/\(descriptor)", O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY)
        }
        nonBlocking = opened >= 0 ? opened : nil
    }

    deinit {
        if let nonBlocking { close(nonBlocking) }
    }

    /// Whether bytes wait for the reader.
    var isPending: Bool { written < queue.count }

    /// Whether so many bytes wait that no more should be added.
    var isFull: Bool { queue.count - written + lines.outputCount >= Self.limit }

    /// The descriptor to watch for room while `isPending`.
    var watched: Int32 { nonBlocking ?? descriptor }

    /// Returns the reason why writing has become impossible; only once.
    func takeFailure() -> Int32? {
        defer { isFailureTaken = failure != nil }
        return isFailureTaken ? nil : failure
    }

    /// Shows `text` at the bottom of the terminal from the next `flush` on.
    func show(status text: String) {
        guard isTerminal && text != status.text else { return }
        append(status.erase())
        status.show(text)
    }

    /// Removes the status line until the next `flush`.
    func hideStatus() { append(status.erase()) }

    /// Writes the text, as far as the reader takes it, and draws the status line below it.
    func flush() {
        let text = lines.takeOutput()
        if !text.isEmpty {
            append(status.erase())
            queue.append(contentsOf: text)
        }
        if isTerminal && !status.isDrawn && lines.isAtLineStart {
            append(status.draw(columns: Int(dlp_terminal_columns(descriptor))))
        }
        drain()
    }

    private func append(_ text: String) { queue.append(contentsOf: text.utf8) }

    /// Writes queued bytes until there are none left or the reader takes no more.
    func drain() {
        while isPending && failure == nil && isReady() {
            let count = queue.withUnsafeBytes { bytes in
                let rest = UnsafeRawBufferPointer(rebasing: bytes[written...])
                return Glibc.write(watched, rest.baseAddress, min(rest.count, largestWrite))
            }
            if count >= 0 {
                written += count
            } else if errno == EAGAIN {
                break
            } else if errno != EINTR {
                failure = errno
            }
        }
        if !isPending || failure != nil {
            queue.removeAll(keepingCapacity: true)
            written = 0
        } else if written > Self.writtenRoom {
            // A reader that is always behind must not make the queue grow by all that is printed.
            queue.removeFirst(written)
            written = 0
        }
    }

    /// How many written bytes may lie before those that wait.
    private static let writtenRoom = 1 << 20

    /// The number of bytes that a write takes without blocking once `isReady`: a pipe with any room has room for
    /// `PIPE_BUF`.
    private var largestWrite: Int { nonBlocking != nil || isFile ? 1 << 20 : Int(PIPE_BUF) }

    private func isReady() -> Bool {
        if nonBlocking != nil || isFile { return true }
        var request = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        return poll(&request, 1, 0) == 1
    }

    /// Whether both descriptors are open on the same file.
    static func areSame(_ first: Int32, _ second: Int32) -> Bool {
        var one = stat()
        var two = stat()
        guard fstat(first, &one) == 0, fstat(second, &two) == 0 else { return false }
        return one.st_dev == two.st_dev && one.st_ino == two.st_ino
    }
}
