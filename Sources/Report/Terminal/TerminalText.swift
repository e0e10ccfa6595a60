/// Text as shown on a terminal.
enum TerminalText {
    /// The number of columns that `text` takes.
    static func width(_ text: String) -> Int { text.unicodeScalars.reduce(0) { $0 + width($1) } }

    /// The longest beginning of `text` that fits into `columns`.
    static func truncate(_ text: String, to columns: Int) -> String {
        var used = 0
        let kept = text.unicodeScalars.prefix { scalar in
            used += width(scalar)
            return used <= columns
        }
        return String(String.UnicodeScalarView(kept))
    }

    /// `text` on one line, without characters that would move the cursor.
    static func printable(_ text: String) -> String {
        String(String.UnicodeScalarView(text.unicodeScalars.map { isControl($0) ? " " : $0 }))
    }

    private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        scalar.value < 0x20 || 0x7f..<0xa0 ~= scalar.value || 0x2028...0x202e ~= scalar.value
    }

    /// The columns of one scalar: two for wide East Asian characters and emoji (Unicode Standard Annex 11).
    private static func width(_ scalar: Unicode.Scalar) -> Int {
        guard scalar.value >= 0x300 else { return 1 }
        if scalar.properties.isGraphemeExtend || scalar.value == 0x200d { return 0 }
        switch scalar.value {
        case 0x1100...0x115f, 0x2e80...0xa4cf, 0xac00...0xd7a3, 0xf900...0xfaff, 0xfe30...0xfe6f, 0xff00...0xff60,
            0xffe0...0xffe6, 0x1f300...0x1faff, 0x20000...0x3fffd:
            return 2
        default: return 1
        }
    }
}
