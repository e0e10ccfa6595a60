import CSystem
import DLP

#if canImport(Glibc)
    import Glibc
#endif

/// An output that shows progress.
public protocol ProgressSink: AnyObject {
    /// The width of the line that can be redrawn; nil where only whole lines can be printed.
    var columns: Int? { get }

    /// Replaces the status by `status`; an empty one removes it.
    func show(status: String)

    /// Prints a whole line above the status.
    func print(line: String)
}

/// A descriptor on which lines are printed; if it is a terminal, with a status below them.
///
/// Each output is one `write`, so that no output of other processes comes between its parts. It must be used by one thread.
public final class StatusOutput: ProgressSink {
    private static let eraseToEnd = "\u{1b}[K"

    private let descriptor: Int32
    private let isTerminal: Bool
    private var status = ""
    /// Whether `status` is visible on the terminal.
    private var isDrawn = false
    /// Whether the cursor is after an unfinished line that someone else printed, for example a prompt.
    private var isLineOpen = false

    /// An output to `descriptor`, which the caller keeps.
    public init(descriptor: Int32) {
        self.descriptor = descriptor
        isTerminal = isDrawable(descriptor)
    }

    /// One less than the width of the terminal: on some terminals, a cursor after the last column would wrap.
    public var columns: Int? {
        guard isTerminal else { return nil }
        return Int(dlp_terminal_columns(descriptor)) - 1
    }

    /// Replaces the status by `status`; an empty one removes it.
    public func show(status: String) {
        guard isTerminal, status != self.status || !isDrawn else { return }
        self.status = status
        var output = ByteWriter()
        redraw(into: &output)
        flush(&output)
    }

    /// Prints a whole line above the status.
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

    /// Passes on the output of others, above the status.
    ///
    /// After an unfinished line the status stays hidden.
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

    /// Writes, and ignores errors: the job must not end because its terminal is gone.
    private func flush(_ output: inout ByteWriter) {
        output.withUnsafeMutableBytes { _ = writeFully(UnsafeRawBufferPointer($0), to: descriptor) }
    }
}
