/// The line at the bottom of a terminal that says how a job is getting on.
struct StatusLine {
    private(set) var text = ""
    /// Whether it stands on the terminal.
    private(set) var isDrawn = false

    /// Changes the text; what `erase` and `draw` give must be written for that to be seen.
    mutating func show(_ text: String) { self.text = text }

    /// What takes the line away: nothing where it is not there.
    mutating func erase() -> String {
        defer { isDrawn = false }
        return isDrawn ? "\r\u{1B}[K" : ""
    }

    /// What draws the line at the start of an empty terminal line of `columns` columns: nothing where there is no text.
    ///
    /// Wrapping is off meanwhile, since a line that is wider than expected could not be erased any more.
    mutating func draw(columns: Int) -> String {
        // The last column stays free: some terminals wrap when it is filled.
        let visible = String.UnicodeScalarView(text.unicodeScalars.filter { !$0.properties.isControl })
        let line = String(visible).prefix(max(columns - 1, 0))
        isDrawn = !line.isEmpty
        return isDrawn ? "\u{1B}[?7l\(line)\u{1B}[?7h" : ""
    }
}

extension Unicode.Scalar.Properties {
    /// Whether a terminal might take the scalar for a command.
    fileprivate var isControl: Bool { generalCategory == .control }
}
