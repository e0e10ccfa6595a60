import Arguments
import DLP
import Glibc
import Journal

/// The command line that does one example of a job alone.
///
/// It exists where the script is a file and the examples are not lists on the command line.
struct Repetition: Sendable {
    private let before: [SystemString]
    private let behind: [SystemString]
    /// How many examples have an index that can be named; nil: any.
    var count: Int?

    /// The options of the command line that determine the examples.
    private static let options = ["input", "format", "examples", "sandbox"]

    /// - Returns: nil where the script is not a file that can be read once more.
    init?(_ invocation: Invocation, seed: Int64) {
        guard case .file(let path) = invocation.source, invocation.lists.isEmpty, Self.isRegular(path) else {
            return nil
        }
        var before: [SystemString] = invocation.options.seed == nil ? [] : ["--seed", SystemString("\(seed)")]
        for option in Self.options.compactMap({ JobOption.named($0) }) {
            guard let value = option.value(in: invocation.options) else { continue }
            before.append(SystemString(option.option.name))
            if option.option.value != nil { before.append(value) }
        }
        self.before = before
        behind = [path] + invocation.arguments
    }

    /// Makes the command line for the job of a journal, as far as the journal says how the job was started.
    ///
    /// - Returns: nil where its script is not a file.
    init?(_ identity: JournalIdentity) {
        guard let arguments = identity.words, identity.script != "(command line)", identity.script != "-",
            !identity.script.bytes.isEmpty, !identity.isOfCommand
        else { return nil }
        before = identity.seed == 0 ? [] : ["--seed", SystemString("\(identity.seed)")]
        behind = [identity.script] + arguments
    }

    /// Returns the command line for an example, by its index from 1; nil for an example that was added to the list.
    func line(_ example: Int) -> String? {
        guard example <= count ?? example else { return nil }
        let end: [SystemString] = behind[0].bytes.first == UInt8(ascii: "-") ? ["--"] : []
        let words = ["dlp-lua"] + before + ["--only", SystemString("\(example)")] + end + behind
        return words.map(Self.quote).joined(separator: " ")
    }

    /// Whether it is a file, and no pipe like those of a shell's `<(...)`.
    private static func isRegular(_ path: SystemString) -> Bool {
        var status = stat()
        return stat(path.cString, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
    }

    /// Quotes a word for a shell.
    private static func quote(_ word: SystemString) -> String {
        guard let text = word.text, text == word.description else { return escape(word) }
        let isPlain = { (byte: UInt8) in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
            case UInt8(ascii: "0")...UInt8(ascii: "9"), 0x80...: true
            default: "-_./:=@%+,".utf8.contains(byte)
            }
        }
        if !text.isEmpty, text.utf8.allSatisfy(isPlain) { return text }
        return "'" + text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: #"'\''"#) + "'"
    }

    /// Quotes a word that a terminal would not show as it is: with escapes, as in bash, zsh and ksh.
    private static func escape(_ word: SystemString) -> String {
        let escaped = word.bytes.map { byte in
            switch byte {
            case UInt8(ascii: "'"), UInt8(ascii: "\\"): "\\" + String(UnicodeScalar(byte))
            case UInt8(ascii: "\n"): "\\n"
            case 0x20...0x7E: String(UnicodeScalar(byte))
            default: "\\x" + (byte < 16 ? "0" : "") + String(byte, radix: 16)
            }
        }
        return "$'" + escaped.joined() + "'"
    }
}
