/// What `--help` prints, for a terminal of 80 columns.
struct HelpPage<Entry: OptionEntry> {
    let program: String
    let manual: Manual
    let sections: [OptionSection<Entry>]

    private static var width: Int { 80 }
    /// The column in which the help of an option begins.
    private static var column: Int { 25 }

    /// The page, without the newline at its end.
    var text: String {
        var lines = manual.synopsis.enumerated().map { number, call in
            "\(number == 0 ? "Usage: " : "       ")\(program) \(call)"
        }
        lines += ["", "\(program): \(manual.phrase)."]
        for section in sections {
            lines += ["", "\(section.title):"] + section.shown.flatMap { Self.lines(of: $0.option) }
        }
        lines += ["", "Examples:"] + manual.calls.map { "  \($0)" }
        return lines.joined(separator: "\n")
    }

    /// The lines of an option: its spelling, and its help, which follows it or, after a long spelling, is below it.
    private static func lines(of option: Option) -> [String] {
        let spelling = "  \(option.spelling)"
        let indent = String(repeating: " ", count: column)
        var help = wrap(option.help, to: width - column)
        guard spelling.count + 2 <= column else { return [spelling] + help.map { indent + $0 } }
        let first = spelling + String(repeating: " ", count: column - spelling.count) + help.removeFirst()
        return [first] + help.map { indent + $0 }
    }
}

/// `text` in lines of at most `width` characters, except for longer words.
func wrap(_ text: String, to width: Int) -> [String] {
    var lines = [""]
    for word in text.split(separator: " ") {
        let last = lines[lines.count - 1]
        if last.isEmpty {
            lines[lines.count - 1] = String(word)
        } else if last.count + 1 + word.count <= width {
            lines[lines.count - 1] += " \(word)"
        } else {
            lines.append(String(word))
        }
    }
    return lines
}
