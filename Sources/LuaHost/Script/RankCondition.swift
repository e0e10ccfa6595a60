import DLP

/// Finds a rank that is used as a condition.
///
/// In Lua 0 is true: `if dlp.RANK then` is always taken, also on the root, which is not what the author meant.
enum RankCondition {
    private static let openers: Set<String> = ["if", "elseif", "while", "until", "not", "and", "or"]
    /// After these tokens a new operand begins that is not by itself a condition.
    private static let operandStarts: Set<String> = ["(", "=", ",", "{", "[", "return"]
    /// After a value, these tokens continue the expression, or the value itself.
    static let operators: Set<String> = [
        "==", "~=", "<", ">", "<=", ">=", "+", "-", "*", "/", "//", "%", "^", "..", "&", "|", "~", "<<", ">>", ".", ":",
        "[", "(", "and", "or",
    ]
    /// At these tokens a condition of an earlier `until` has ended.
    private static let statementWords: Set<String> = [
        "=", ";", "local", "return", "if", "elseif", "then", "else", "while", "for", "do", "repeat", "end", "function",
    ]

    /// Returns the first such place: its line, and a message that says what to write instead.
    static func firstMisuse(in source: Bytes) -> (line: Int, message: String)? {
        // Bytecode has no tokens.
        if source.withUnsafeBytes({ $0.first == 0x1B }) { return nil }
        let tokens = LuaLexer.tokens(of: source)
        let aliases = RankAliases(tokens)
        for index in tokens.indices {
            guard let rank = rank(tokens, at: index, aliases), isCondition(tokens, index, rank.length) else { continue }
            let better =
                rank.field == "RANK" ? "dlp.IS_ROOT, or compare it: \(rank.written) == 0" : "dlp.IS_ROOT"
            return (
                tokens[index].line,
                "\(rank.written) as a condition is always true, for in Lua 0 is true: use \(better)"
            )
        }
        return nil
    }

    /// The rank that begins at `index` (`dlp.RANK` or the script's own name for it), and its number of tokens.
    private static func rank(
        _ tokens: [(text: String, line: Int)], at index: Int, _ aliases: RankAliases
    ) -> (field: String, written: String, length: Int)? {
        if let field = RankAliases.field(tokens, at: index) { return (field, "dlp.\(field)", 3) }
        let before = index > 0 ? tokens[index - 1].text : ""
        guard before != ".", before != ":", let field = aliases.field(of: tokens[index].text) else { return nil }
        return (field, tokens[index].text, 1)
    }

    private static func isCondition(_ tokens: [(text: String, line: Int)], _ index: Int, _ length: Int) -> Bool {
        func text(_ index: Int) -> String { tokens.indices.contains(index) ? tokens[index].text : "" }
        var (first, end) = (index, index + length)
        // Parentheses around it change nothing, unless they are the parentheses of a call.
        while text(first - 1) == "(", text(end) == ")", !isCallable(text(first - 2)) {
            (first, end) = (first - 1, end + 1)
        }
        let (before, after) = (text(first - 1), text(end))
        if before == "not" { return true }
        if openers.contains(before) || operandStarts.contains(before), after == "and" { return true }
        if ["if", "elseif", "while"].contains(before) { return ["then", "do", "or"].contains(after) }
        if ["and", "or"].contains(before), ["then", "do"].contains(after) { return true }
        // After a condition of `until` comes the next statement, or the end.
        guard !operators.contains(after) else { return before == "until" && after == "or" }
        return before == "until" || (["and", "or"].contains(before) && isAfterUntil(tokens, first))
    }

    /// Whether a parenthesis after a value that ends with this token is a call.
    private static func isCallable(_ text: String) -> Bool {
        if openers.contains(text) || statementWords.contains(text) || operandStarts.contains(text) { return false }
        guard let last = text.utf8.last else { return false }
        let isWord = last == 95 || (last | 32 >= 97 && last | 32 <= 122) || (last >= 48 && last <= 57)
        return isWord || [")", "]", "}", LuaLexer.literal].contains(text)
    }

    /// Whether the token at `index` is in the condition of a `repeat`.
    private static func isAfterUntil(_ tokens: [(text: String, line: Int)], _ index: Int) -> Bool {
        var depth = 0
        for token in tokens[..<index].reversed() {
            if token.text == "until" { return depth == 0 }
            if token.text == ")" { depth += 1 }
            if token.text == "(" { depth -= 1 }
            if depth < 0 || statementWords.contains(token.text) { return false }
        }
        return false
    }
}
