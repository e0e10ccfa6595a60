/// The variables of a script that hold a rank: `local RANK = dlp.RANK`.
///
/// Only names that are given a value in exactly one place of the script count. Only Lua's compiler could tell which variable
/// another use of the name means.
struct RankAliases {
    private let tokens: [(text: String, line: Int)]
    /// How often each name is declared or given a value.
    private var definitions: [String: Int] = [:]
    private var ranks: [String: String] = [:]

    private static let names: Set<String> = ["RANK", "ROOT", "MASTER"]

    init(_ tokens: [(text: String, line: Int)]) {
        self.tokens = tokens
        findDefinitions()
        for index in tokens.indices {
            guard let field = Self.field(tokens, at: index), let name = variable(definedBy: index) else { continue }
            ranks[name] = field
        }
    }

    /// The field of `dlp` that the variable `name` holds; nil where it holds none.
    func field(of name: String) -> String? { definitions[name] == 1 ? ranks[name] : nil }

    /// The field name if `dlp.RANK`, `dlp.ROOT` or `dlp.MASTER` begins at `index`; otherwise nil.
    static func field(_ tokens: [(text: String, line: Int)], at index: Int) -> String? {
        guard tokens[index].text == "dlp", index + 2 < tokens.count, tokens[index + 1].text == ".",
            names.contains(tokens[index + 2].text)
        else { return nil }
        let before = index > 0 ? tokens[index - 1].text : ""
        return before == "." || before == ":" ? nil : tokens[index + 2].text
    }

    private func text(_ index: Int) -> String { tokens.indices.contains(index) ? tokens[index].text : "" }

    private func isName(_ index: Int) -> Bool {
        guard let first = text(index).utf8.first else { return false }
        return first == UInt8(ascii: "_") || (first | 32 >= 97 && first | 32 <= 122)
    }

    private mutating func findDefinitions() {
        var index = 0
        while index < tokens.count {
            switch text(index) {
            case "local" where text(index + 1) != "function", "for": index = countNames(from: index + 1)
            case "function":
                while index < tokens.count, text(index) != "(" { index += 1 }
                index = countNames(from: index + 1)
            default:
                let isField = [".", ":", "{"].contains(text(index - 1))
                if isName(index), !isField, text(index + 1) == "=" { definitions[text(index), default: 0] += 1 }
                index += 1
            }
        }
    }

    /// Counts a list of names with its attributes; returns the index after the list.
    private mutating func countNames(from start: Int) -> Int {
        var index = start
        while isName(index) {
            definitions[text(index), default: 0] += 1
            index += text(index + 1) == "<" ? 4 : 1
            guard text(index) == "," else { break }
            index += 1
        }
        // What follows the `=` is a value, and is not counted as a name.
        return text(index) == "=" ? index + 1 : index
    }

    /// The variable that gets exactly the value that begins at `index`, in a list of simple values.
    private func variable(definedBy index: Int) -> String? {
        guard !RankCondition.operators.contains(text(index + 3)) else { return nil }
        var position = 0
        var left = index - 1
        while left > 0, text(left) != "=" {
            let isPlain = isName(left) || text(left) == "." || text(left) == LuaLexer.literal
            guard text(left) == "," || isPlain else { return nil }
            if text(left) == "," { position += 1 }
            left -= 1
        }
        var names: [String] = []
        while left > 0 {
            left -= text(left - 1) == ">" ? 4 : 1
            guard left >= 0, isName(left) else { return nil }
            names.append(text(left))
            guard text(left - 1) == "," else { break }
            left -= 1
        }
        guard !["{", ".", ":"].contains(text(left - 1)), position < names.count else { return nil }
        return names[names.count - 1 - position]
    }
}
