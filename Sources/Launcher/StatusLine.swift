/// The line at the bottom of a terminal that shows the progress of a job.
struct StatusLine {
    private(set) var text = ""
    /// Whether the line is on the terminal.
    private(set) var isDrawn = false

    /// Changes the text.
    ///
    /// The results of `erase` and `draw` must be written to make it visible.
    mutating func show(_ text: String) { self.text = text }

    /// Returns the text that erases the line; empty where the line is not drawn.
    mutating func erase() -> String {
        defer { isDrawn = false }
        return isDrawn ? "\r\u{1B}[K" : ""
    }

    /// Returns the text that draws the line at the start of an empty terminal line of `columns` columns; empty
    /// without a text.
    ///
    /// It turns wrapping off meanwhile, because a line that is wider than expected could not be erased.
    mutating func draw(columns: Int) -> String {
        // The last column stays free, because some terminals wrap when it is filled.
        let visible = String.UnicodeScalarView(text.unicodeScalars.filter { !$0.properties.isControl })
        let line = String(visible).prefix(max(columns - 1, 0))
        isDrawn = !line.isEmpty
        return isDrawn ? "\u{1B}[?7l\(line)\u{1B}[?7h" : ""
    }
}

extension Unicode.Scalar.Properties {
    /// Whether a terminal might take the scalar as a command.
    fileprivate var isControl: Bool { generalCategory == .control }
}
