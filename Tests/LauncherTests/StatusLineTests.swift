import Testing

@testable import Launcher

@Suite("The status line")
struct StatusLineTests {
    @Test("is drawn once it has text, and erased once if it stands there")
    func drawAndErase() {
        var line = StatusLine()
        #expect(line.draw(columns: 80) == "")
        #expect(line.erase() == "")
        line.show("half")
        #expect(line.draw(columns: 80).contains("half"))
        #expect(line.erase() == "\r\u{1B}[K")
        #expect(line.erase() == "")
    }

    @Test("leaves the last column free", arguments: [(5, "abcd"), (4, "abc"), (1, ""), (0, "")])
    func cut(columns: Int, visible: String) {
        var line = StatusLine()
        line.show("abcdefgh")
        let drawn = line.draw(columns: columns)
        #expect(drawn == (visible.isEmpty ? "" : "\u{1B}[?7l\(visible)\u{1B}[?7h"))
    }

    @Test("passes no command on to the terminal")
    func controlCharacters() {
        var line = StatusLine()
        line.show("a\u{1B}[2J\nb\u{9B}c")
        #expect(line.draw(columns: 80) == "\u{1B}[?7la[2Jbc\u{1B}[?7h")
    }
}
