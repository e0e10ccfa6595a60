public import DLP

/// The job to which a journal belongs.
///
/// Results of another script, or for other arguments or random numbers, do not fit.
public struct JournalIdentity: Sendable {
    /// The script's name, for messages.
    public var script: SystemString
    /// The digest of the script's text.
    public var scriptDigest: Digest
    /// The script's arguments, as a JSON array; nil in journals from before arguments were stored.
    public var arguments: String?
    /// The seed of its random numbers.
    public var seed: Int64

    /// The identity of a job whose script has this text and these arguments.
    public init(script: SystemString, text: Bytes, arguments: [SystemString], seed: Int64) {
        self.init(
            script: script, scriptDigest: Digest(ofText: text), arguments: Self.json(arguments), seed: seed)
    }

    init(script: SystemString, scriptDigest: Digest, arguments: String?, seed: Int64) {
        self.script = script
        self.scriptDigest = scriptDigest
        self.arguments = arguments
        self.seed = seed
    }

    /// Whether it is a command in place of a script; then the script's name is the command's text.
    public var isOfCommand: Bool { Digest(ofText: Bytes(script.bytes)) == scriptDigest }

    /// The script's arguments; nil where they are not known, or where one of them is not text.
    public var words: [SystemString]? { arguments.flatMap { Self.words($0) } }

    /// Reads the output of `json`.
    private static func words(_ json: String) -> [SystemString]? {
        var words: [SystemString] = []
        var word: [UInt8]?
        var rest = Array(json.utf8.dropFirst().dropLast())[...]
        while let byte = rest.popFirst() {
            switch (byte, word) {
            case (UInt8(ascii: "\""), nil): word = []
            case (UInt8(ascii: ","), nil): continue
            // An argument that is not text is an object.
            case (_, nil): return nil
            case (UInt8(ascii: "\""), let complete?):
                words.append(SystemString(bytes: complete))
                word = nil
            case (UInt8(ascii: "\\"), _): word?.append(unescaped(&rest))
            default: word?.append(byte)
            }
        }
        return word == nil ? words : nil
    }

    /// The byte that an escape stands for.
    private static func unescaped(_ rest: inout ArraySlice<UInt8>) -> UInt8 {
        let letter = rest.popFirst() ?? 0
        switch letter {
        case UInt8(ascii: "b"): return 0x08
        case UInt8(ascii: "t"): return 0x09
        case UInt8(ascii: "n"): return 0x0a
        case UInt8(ascii: "f"): return 0x0c
        case UInt8(ascii: "r"): return 0x0d
        case UInt8(ascii: "u"):
            // Only control characters are written in this form.
            defer { rest = rest.dropFirst(4) }
            return UInt8(String(decoding: rest.prefix(4), as: UTF8.self), radix: 16) ?? 0
        default: return letter
        }
    }

    private static func json(_ arguments: [SystemString]) -> String {
        var writer = ByteWriter()
        for (number, argument) in arguments.enumerated() {
            writer.append(utf8: number == 0 ? "[" : ",")
            // Arguments that are not UTF-8 become an object, so that they differ from the text that spells the same bytes.
            if let text = argument.text {
                writer.appendJSON(text)
            } else {
                writer.append(utf8: "{\"base64url\":\"")
                argument.bytes.withUnsafeBytes { writer.appendBase64URL($0) }
                writer.append(utf8: "\"}")
            }
        }
        writer.append(utf8: arguments.isEmpty ? "[]" : "]")
        return String(decoding: writer.finish().array, as: UTF8.self)
    }
}

extension Digest {
    /// The digest of a string with these bytes.
    fileprivate init(ofText text: Bytes) {
        var writer = ByteWriter(capacity: text.count + 9)
        text.withUnsafeBytes { writer.appendString($0) }
        // A single string is always a well-formed item.
        self = (try? writer.finish().withUnsafeBytes { try Digest(of: $0) }) ?? Digest(high: 0, low: 0)
    }
}

/// What a job does with an existing journal.
public enum JournalPolicy: Sendable {
    /// It goes on if the journal is its own.
    case goOn
    /// It goes on in any case, and finished examples stay finished.
    case keep
    /// It starts over.
    case fresh

    /// How the user can choose one of them.
    static let remedy = "--keep goes on all the same (what is done stays done), --fresh starts over"
}

extension JournalIdentity {
    /// Why a job must not go on with a journal that belongs to `other`; nil where it may.
    ///
    /// Results of another version of the script are checked later, row by row.
    func objection(to other: JournalIdentity, path: SystemString) -> String? {
        let remedy = JournalPolicy.remedy
        if let arguments, let others = other.arguments, arguments != others {
            return "the journal \(path) was made with the script's arguments \(others), not \(arguments); \(remedy)"
        }
        guard seed == other.seed else {
            return "the journal \(path) was made with --seed \(other.seed), not \(seed); \(remedy)"
        }
        return nil
    }
}
