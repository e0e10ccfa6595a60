public import DLP

/// What a journal belongs to: results of another script, of other arguments or random numbers, would not fit in.
public struct JournalIdentity: Sendable {
    /// The script's name, for messages.
    public var script: SystemString
    /// The digest of the script's text.
    public var scriptDigest: Digest
    /// The script's arguments, as an array in JSON; nil in journals that did not note them yet.
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

    /// Whether a command took the place of the script: its name is then its text.
    public var isOfCommand: Bool { Digest(ofText: Bytes(script.bytes)) == scriptDigest }

    /// The script's arguments; nil where they are not known, or not all of them are text.
    public var words: [SystemString]? { arguments.flatMap { Self.words($0) } }

    /// What `json` has written.
    private static func words(_ json: String) -> [SystemString]? {
        var words: [SystemString] = []
        var word: [UInt8]?
        var rest = Array(json.utf8.dropFirst().dropLast())[...]
        while let byte = rest.popFirst() {
            switch (byte, word) {
            case (UInt8(ascii: "\""), nil): word = []
            case (UInt8(ascii: ","), nil): continue
            // What is no text is an object.
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

    /// The byte for which an escape stands.
    private static func unescaped(_ rest: inout ArraySlice<UInt8>) -> UInt8 {
        let letter = rest.popFirst() ?? 0
        switch letter {
        case UInt8(ascii: "b"): return 0x08
        case UInt8(ascii: "t"): return 0x09
        case UInt8(ascii: "n"): return 0x0a
        case UInt8(ascii: "f"): return 0x0c
        case UInt8(ascii: "r"): return 0x0d
        case UInt8(ascii: "u"):
            // Control characters are written so, and nothing else.
            defer { rest = rest.dropFirst(4) }
            return UInt8(String(decoding: rest.prefix(4), as: UTF8.self), radix: 16) ?? 0
        default: return letter
        }
    }

    private static func json(_ arguments: [SystemString]) -> String {
        var writer = ByteWriter()
        for (number, argument) in arguments.enumerated() {
            writer.append(utf8: number == 0 ? "[" : ",")
            // No argument is an object otherwise: what is not UTF-8 is not taken for the text that spells it.
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
    /// The digest of a string of these bytes.
    fileprivate init(ofText text: Bytes) {
        var writer = ByteWriter(capacity: text.count + 9)
        text.withUnsafeBytes { writer.appendString($0) }
        // One string is a well-formed item, whatever is in it.
        self = (try? writer.finish().withUnsafeBytes { try Digest(of: $0) }) ?? Digest(high: 0, low: 0)
    }
}

/// What a job does with a journal that is there already.
public enum JournalPolicy: Sendable {
    /// It goes on, provided that the journal is its own.
    case goOn
    /// It goes on, whoever made the journal: what is done stays done.
    case keep
    /// It starts over.
    case fresh

    /// How the user says which of them is meant.
    static let remedy = "--keep goes on all the same (what is done stays done), --fresh starts over"
}

extension JournalIdentity {
    /// Why a job must not go on with a journal that belongs to `other`; nil where it may: what another script has done is
    /// looked at row by row.
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
