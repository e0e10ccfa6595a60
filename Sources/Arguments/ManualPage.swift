/// A page of the manual, in the macros of man(7).
struct ManualPage<Entry: OptionEntry> {
    let program: String
    /// The release that it describes.
    let release: String
    let manual: Manual
    let sections: [OptionSection<Entry>]

    /// The page, without the newline at its end.
    var text: String {
        var lines = [
            ".TH \(Roff.code(program).uppercased()) 1 \(manual.date) \"\(Roff.text(release))\" \"User Commands\"",
            ".SH NAME",
        ]
        lines += wrap("\(Roff.code(program)) \\- \(Roff.text(manual.phrase))", to: 78) + [".SH SYNOPSIS"]
        for (number, call) in manual.synopsis.enumerated() {
            if number > 0 { lines.append(".br") }
            lines.append("\\fB\(Roff.code(program))\\fR \(Roff.synopsis(call))")
        }
        lines += [".SH DESCRIPTION"] + Roff.lines(manual.description) + [".SH OPTIONS"]
        for section in sections {
            lines.append(".SS \(Roff.text(section.title))")
            for entry in section.shown {
                lines += [".TP", Roff.spelling(of: entry.option)] + Roff.lines(of: entry.option.help)
            }
        }
        for section in manual.sections { lines += [".SH \(Roff.text(section.title))"] + Roff.lines(section.blocks) }
        lines += [".SH SEE ALSO"]
        lines.append(
            manual.seeAlso.map { page in
                let name = page.prefix { $0 != "(" }
                return "\\fB\(Roff.code(String(name)))\\fR\(page.dropFirst(name.count))"
            }.joined(separator: ",\n"))
        return lines.joined(separator: "\n")
    }
}

/// Helpers for roff, the language of manual pages.
private enum Roff {
    /// Text that the reader copies: each character is printed exactly.
    static func code(_ text: String) -> String {
        let escapes: [Character: String] = [
            "\\": "\\e", "-": "\\-", "'": "\\(aq", "`": "\\(ga", "^": "\\(ha", "~": "\\(ti", "\"": "\\(dq",
        ]
        return text.map { escapes[$0] ?? "\($0)" }.joined()
    }

    /// Running text; options and names of variables are bold.
    static func text(_ text: String) -> String {
        text.split(separator: " ").map { word in
            let bare = word.drop { "('\"".contains($0) }
            guard isName(bare) else { return word.map { $0 == "\\" ? "\\e" : "\($0)" }.joined() }
            let name = bare.prefix { !",;:)'\"".contains($0) && !($0 == "." && $0 == bare.last) }
            let before = word.dropLast(bare.count)
            return "\(before)\\fB\(code(String(name)))\\fR\(bare.dropFirst(name.count))"
        }.joined(separator: " ")
    }

    /// Whether a word of running text is an option or an environment variable.
    private static func isName(_ word: Substring) -> Bool {
        if word.first == "-" { return word.count > 1 }
        return word.contains("_") && word.allSatisfy { $0.isUppercase || $0.isNumber || "_,;:.".contains($0) }
    }

    /// Running text in short lines, of which none can be taken for a macro.
    static func lines(of text: String) -> [String] {
        wrap(self.text(text), to: 78).map { $0.first == "." || $0.first == "'" ? "\\&\($0)" : $0 }
    }

    static func lines(_ blocks: [Manual.Block]) -> [String] {
        blocks.enumerated().flatMap { number, block -> [String] in
            switch block {
            // The first paragraph needs no space before it.
            case .paragraph(let text): return (number == 0 ? [] : [".PP"]) + lines(of: text)
            case .list(let items): return items.flatMap { [".TP", "\\fB\(code($0.0))\\fR"] + lines(of: $0.1) }
            case .example(let text):
                return [".PP", ".RS 4", ".EX"]
                    + text.split(separator: "\n", omittingEmptySubsequences: false).map { verbatim(String($0)) }
                    + [".EE", ".RE"]
            }
        }
    }

    private static func verbatim(_ text: String) -> String {
        let line = code(text)
        return line.first == "." ? "\\&\(line)" : line
    }

    /// An option: its names bold, its value in italics.
    static func spelling(of option: Option) -> String {
        option.names.map { name in
            guard let value = option.value else { return "\\fB\(code(name))\\fR" }
            let shown = "\\fI\(code(value))\\fR"
            return "\\fB\(code(name))\\fR \(option.optionalValue == nil ? shown : "[\(shown)]")"
        }.joined(separator: ", ")
    }

    /// A way to call a program: options are bold, placeholders in italics.
    static func synopsis(_ call: String) -> String {
        call.split(separator: " ").map { word in
            if word.first == "-" { return "\\fB\(code(String(word)))\\fR" }
            let isMeant = word.contains(where: \.isLetter) && word.filter(\.isLetter).allSatisfy(\.isUppercase)
            guard isMeant else { return code(String(word)) }
            let before = word.prefix { !$0.isLetter }
            let name = word.dropFirst(before.count).prefix { $0.isLetter }
            return "\(before)\\fI\(name)\\fR\(word.dropFirst(before.count + name.count))"
        }.joined(separator: " ")
    }
}
