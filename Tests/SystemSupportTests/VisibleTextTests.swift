import Testing

@testable import SystemSupport

/// Foreign text in our messages.
struct VisibleTextTests {
    @Test(
        "what a terminal obeys is shown",
        arguments: [
            ("plain \u{e4} \u{65e5}\u{1f600}", "plain \u{e4} \u{65e5}\u{1f600}"), ("\u{1b}[31mred", "\\x1b[31mred"),
            ("a\u{7}\u{0}\u{7f}", "a\\x07\\x00\\x7f"), ("\u{9b}2J", "\\u009b2J"), ("over\rwritten", "over\\rwritten"),
            ("\u{202e}gpj.exe", "\\u202egpj.exe"), ("two\n\tlines", "two\n\tlines"),
        ])
    func controls(_ text: String, _ shown: String) {
        #expect(text.visible(keepsLines: true) == shown)
        #expect(text.visible(keepsLines: true).visible(keepsLines: true) == shown)
    }

    @Test("a name stays on one line")
    func name() { #expect("\(SystemString("a\nb\tc"))" == "a\\nb\\tc") }

    @Test(
        "bytes of no character are shown, and the characters around them are kept",
        arguments: [
            ([0x61, 0xFF, 0x62], "a\\xffb"), ([0xE2, 0x82], "\\xe2\\x82"), ([0xE2, 0x82, 0xAC, 0x80], "\u{20ac}\\x80"),
            ([0xC0, 0xAF], "\\xc0\\xaf"), ([0xED, 0xA0, 0x80], "\\xed\\xa0\\x80"), ([], ""),
        ] as [([UInt8], String)])
    func bytes(_ bytes: [UInt8], _ shown: String) { #expect(String(decodingVisibly: bytes) == shown) }

    @Test(
        "the nearest name is what one slip in three letters explains",
        arguments: [
            ("exmaples", "examples"), ("summarise", "summarize"), ("wrok", "work"), ("Setup", "setup"),
            ("work", "work"),
            ("zzz", nil), ("", nil), ("setups-and-more", nil),
        ] as [(String, String?)])
    func near(_ word: String, _ name: String?) {
        #expect(nearestName(to: word, among: ["examples", "work", "setup", "collect", "summarize"]) == name)
    }
}
