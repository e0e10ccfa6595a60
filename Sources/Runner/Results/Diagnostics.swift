import DLP

/// What a user reads when something went wrong: one message, in one write, on standard error.
enum Diagnostics {
    /// Writes `text` with our name before it.
    static func write(_ text: String) { writeMessage(text, from: "dlp-lua") }
}
