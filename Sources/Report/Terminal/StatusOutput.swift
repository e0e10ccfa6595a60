import CSystem
import DLP

#if canImport(Glibc)
    import Glibc
#endif

/// Where progress is shown.
public protocol ProgressSink: AnyObject {
    /// The width of the line that can be redrawn; nil where only whole lines can be printed.
    var columns: Int? { get }

    /// Draws `status` in place of the one before; an empty one takes it away.
    func show(status: String)

    /// Prints a whole line, above the status.
    func print(line: String)
}

/// A descriptor on which lines are printed, with a status below them where it is a terminal.
///
/// Everything goes out in one `write` each, so that no other process's output comes between its parts. It belongs to
/// one thread.
public final class StatusOutput: ProgressSink {
    private static let eraseToEnd = "\u{1b}[K"

    private let descriptor: Int32
    private let isTerminal: Bool
    private var status = ""
    /// Whether `status` stands on the terminal.
    private var isDrawn = false
    /// Whether the cursor is behind an unfinished line that somebody printed, a prompt for example.
    private var isLineOpen = false

    /// An output on `descriptor`, which stays the caller's.
    public init(descriptor: Int32) {
        self.descriptor = descriptor
        isTerminal = isDrawable(descriptor)
    }

    /// One less than the terminal is wide: a cursor behind the last column would wrap on some terminals.
    public var columns: Int? {
        guard isTerminal else { return nil }
        return Int(dlp_terminal_columns(descriptor)) - 1
    }

    /// Draws `status` in place of the one before; an empty one takes it away.
    public func show(status: String) {
        guard isTerminal, status != self.status || !isDrawn else { return }
        self.status = status
        var output = ByteWriter()
        redraw(into: &output)
        flush(&output)
    }

    /// Prints a whole line, above the status.
    public func print(line: String) {
        var output = ByteWriter()
        if isLineOpen { output.append(UInt8(ascii: "\n")) }
        isLineOpen = false
        erase(into: &output)
        output.append(utf8: line)
        output.append(UInt8(ascii: "\n"))
        redraw(into: &output)
        flush(&output)
    }

    /// Passes on what somebody else wrote, above the status; after an unfinished line the status stays away.
    func pass(_ bytes: UnsafeRawBufferPointer) {
        guard let last = bytes.last else { return }
        var output = ByteWriter(capacity: bytes.count + status.utf8.count + 8)
        erase(into: &output)
        output.append(contentsOf: bytes)
        isLineOpen = last != UInt8(ascii: "\n")
        redraw(into: &output)
        flush(&output)
    }

    private func erase(into output: inout ByteWriter) {
        if isDrawn { output.append(utf8: "\r\(Self.eraseToEnd)") }
        isDrawn = false
    }

    private func redraw(into output: inout ByteWriter) {
        guard !status.isEmpty, !isLineOpen else { return erase(into: &output) }
        output.append(utf8: "\r\(status)\(Self.eraseToEnd)")
        isDrawn = true
    }

    /// A terminal that is gone must not end the job, so errors are left alone.
    private func flush(_ output: inout ByteWriter) {
        output.withUnsafeMutableBytes { _ = writeFully(UnsafeRawBufferPointer($0), to: descriptor) }
    }
}
