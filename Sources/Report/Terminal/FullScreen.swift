import DLP
import Glibc

/// Standard output as a screen that is redrawn as a whole, on the terminal's alternate screen, which disappears afterwards.
///
/// Meanwhile keys come one by one and are not shown. It must be used by one thread.
package struct FullScreen: ~Copyable {
    private static let enter = "\u{1b}[?1049h\u{1b}[?25l"
    private static let leave = "\u{1b}[?25h\u{1b}[?1049l"

    /// The keyboard's former settings, if there is a keyboard.
    private let keyboard: termios?

    /// Takes over the terminal; nil where standard output is not a terminal.
    package init?() {
        guard isDrawable(STDOUT_FILENO) else { return nil }
        var settings = termios()
        keyboard = tcgetattr(STDIN_FILENO, &settings) == 0 ? settings : nil
        resume()
    }

    /// The number of its columns and rows.
    private var size: (columns: Int, rows: Int) {
        var size = winsize()
        guard ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0, size.ws_row > 0 else {
            return (80, 24)
        }
        return (Int(size.ws_col), Int(size.ws_row))
    }

    /// Whether keys can be read.
    package var hasKeyboard: Bool { keyboard != nil }

    /// Draws the lines that `lines` returns for these columns and rows, as far as there is room.
    package func draw(_ lines: (_ columns: Int, _ rows: Int) -> [String]) {
        let (columns, rows) = size
        var output = ByteWriter()
        output.append(utf8: "\u{1b}[H")
        for (row, line) in lines(columns, rows).prefix(rows).enumerated() {
            if row > 0 { output.append(utf8: "\r\n") }
            output.append(utf8: TerminalText.truncate(TerminalText.printable(line), to: columns - 1))
            output.append(utf8: "\u{1b}[K")
        }
        output.append(utf8: "\u{1b}[J")
        write(&output)
    }

    /// Restores the terminal.
    package func suspend() {
        write(Self.leave)
        if var keyboard { tcsetattr(STDIN_FILENO, TCSANOW, &keyboard) }
    }

    /// Takes over the terminal again.
    package func resume() {
        if var keyboard {
            // Ctrl-C and similar keys remain signals.
            keyboard.c_lflag &= ~tcflag_t(ICANON | ECHO)
            tcsetattr(STDIN_FILENO, TCSANOW, &keyboard)
        }
        write(Self.enter)
    }

    private func write(_ text: String) {
        var output = ByteWriter()
        output.append(utf8: text)
        write(&output)
    }

    /// Writes, and ignores errors: if the terminal is gone, a signal will end the program.
    private func write(_ output: inout ByteWriter) {
        output.withUnsafeMutableBytes { _ = writeFully(UnsafeRawBufferPointer($0), to: STDOUT_FILENO) }
    }

    deinit { suspend() }
}
