import DLP

/// Splits Lua source into the tokens that a check before the run needs: names, keywords and symbols.
///
/// Comments are left out; a string or number is one token without its text. Source that is not valid Lua gives arbitrary
/// tokens: Lua itself will report what is wrong with it.
struct LuaLexer {
    enum Token: Equatable {
        case word(String)
        case symbol(String)
        case literal
    }

    private let source: [UInt8]
    private var position = 0
    /// The line of the token that `next` last returned.
    private(set) var line = 1

    init(_ source: Bytes) { self.source = source.array }

    /// Returns all tokens of `source`, each as its text (for a literal: two quotes) with its line.
    static func tokens(of source: Bytes) -> [(text: String, line: Int)] {
        var lexer = LuaLexer(source)
        var tokens: [(text: String, line: Int)] = []
        while let token = lexer.next() {
            switch token {
            case .word(let text), .symbol(let text): tokens.append((text, lexer.line))
            case .literal: tokens.append((literal, lexer.line))
            }
        }
        return tokens
    }

    /// The text of a token that is a string or a number.
    static let literal = "\"\""

    mutating func next() -> Token? {
        skipBlanksAndComments()
        guard let byte = peek() else { return nil }
        if Self.isWord(byte), !Self.isDigit(byte) { return .word(takeWord()) }
        if Self.isDigit(byte) || (byte == UInt8(ascii: "."), peek(1).map(Self.isDigit) ?? false) == (true, true) {
            takeNumber()
            return .literal
        }
        if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "'") {
            takeString(byte)
            return .literal
        }
        if byte == UInt8(ascii: "["), let level = longBracketLevel() {
            takeLong(level)
            return .literal
        }
        return .symbol(takeSymbol())
    }

    private func peek(_ ahead: Int = 0) -> UInt8? {
        position + ahead < source.count ? source[position + ahead] : nil
    }

    private mutating func advance() {
        if source[position] == UInt8(ascii: "\n") { line += 1 }
        position += 1
    }

    private static func isDigit(_ byte: UInt8) -> Bool { byte >= 48 && byte <= 57 }
    private static func isWord(_ byte: UInt8) -> Bool {
        isDigit(byte) || byte == 95 || (byte | 32 >= 97 && byte | 32 <= 122)
    }

    private mutating func skipBlanksAndComments() {
        while let byte = peek() {
            if byte <= 32 {
                advance()
            } else if byte == UInt8(ascii: "-"), peek(1) == UInt8(ascii: "-") {
                position += 2
                if peek() == UInt8(ascii: "["), let level = longBracketLevel() {
                    takeLong(level)
                } else {
                    while let byte = peek(), byte != UInt8(ascii: "\n") { position += 1 }
                }
            } else if byte == UInt8(ascii: "#"), position == 0 {
                while let byte = peek(), byte != UInt8(ascii: "\n") { position += 1 }
            } else {
                return
            }
        }
    }

    private mutating func takeWord() -> String {
        let start = position
        while let byte = peek(), Self.isWord(byte) { position += 1 }
        return String(decoding: source[start..<position], as: UTF8.self)
    }

    private mutating func takeNumber() {
        while let byte = peek() {
            let isExponent = (byte | 32) == UInt8(ascii: "e") || (byte | 32) == UInt8(ascii: "p")
            guard Self.isWord(byte) || byte == UInt8(ascii: ".") else { return }
            position += 1
            if isExponent, let sign = peek(), sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-") { position += 1 }
        }
    }

    private mutating func takeString(_ quote: UInt8) {
        advance()
        while let byte = peek(), byte != quote {
            if byte == UInt8(ascii: "\\"), position + 1 < source.count { advance() }
            advance()
        }
        if peek() != nil { advance() }
    }

    /// The number of `=` between the two brackets of a long string; nil where no long string begins here.
    private func longBracketLevel() -> Int? {
        var level = 0
        while peek(1 + level) == UInt8(ascii: "=") { level += 1 }
        return peek(1 + level) == UInt8(ascii: "[") ? level : nil
    }

    private mutating func takeLong(_ level: Int) {
        position += level + 2
        let end = [UInt8(ascii: "]")] + Array(repeating: UInt8(ascii: "="), count: level) + [UInt8(ascii: "]")]
        while position < source.count, !source[position...].starts(with: end) { advance() }
        position = min(position + end.count, source.count)
    }

    private mutating func takeSymbol() -> String {
        for length in [3, 2] where position + length <= source.count {
            let text = String(decoding: source[position..<(position + length)], as: UTF8.self)
            if ["...", "..", "==", "~=", "<=", ">=", "//", "::", "<<", ">>"].contains(text) {
                position += length
                return text
            }
        }
        let text = String(decoding: [source[position]], as: UTF8.self)
        advance()
        return text
    }
}
