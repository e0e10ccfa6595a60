import DLP
import Glibc

/// Standard output as a screen that is drawn whole, on a terminal of its own that goes away with it.
///
/// Keys come one by one and are not shown meanwhile. It belongs to one thread.
package struct FullScreen: ~Copyable {
    private static let enter = "\u{1b}[?1049h\u{1b}[?25l"
    private static let leave = "\u{1b}[?25h\u{1b}[?1049l"

    /// How the keyboard was, where there is one.
    private let keyboard: termios?

    /// Takes the terminal; nil where standard output is none.
    package init?() {
        guard isDrawable(STDOUT_FILENO) else { return nil }
        var settings = termios()
        keyboard = tcgetattr(STDIN_FILENO, &settings) == 0 ? settings : nil
        resume()
    }

    /// How many columns and rows it has.
    private var size: (columns: Int, rows: Int) {
        var size = winsize()
        guard ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0, size.ws_row > 0 else {
            return (80, 24)
        }
        return (Int(size.ws_col), Int(size.ws_row))
    }

    /// Whether there are keys to be read.
    package var hasKeyboard: Bool { keyboard != nil }

    /// Draws what `lines` gives for so many columns and rows, as far as there is room.
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

    /// Gives the terminal back as it was.
    package func suspend() {
        write(Self.leave)
        if var keyboard { tcsetattr(STDIN_FILENO, TCSANOW, &keyboard) }
    }

    /// Takes the terminal again.
    package func resume() {
        if var keyboard {
            // Ctrl-C and its like go on to be signals.
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

    /// A terminal that is gone is no reason to end in a hurry: a signal comes.
    private func write(_ output: inout ByteWriter) {
        output.withUnsafeMutableBytes { _ = writeFully(UnsafeRawBufferPointer($0), to: STDOUT_FILENO) }
    }

    deinit { suspend() }
}
