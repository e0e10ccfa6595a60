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
    /// Why a job must not go on with a journal that belongs to `other`; nil where it may.
    func objection(to other: JournalIdentity, path: SystemString) -> String? {
        let remedy = JournalPolicy.remedy
        if scriptDigest != other.scriptDigest {
            return script.description == other.script.description
                ? "the journal \(path) was made by \(script) before it was changed; \(remedy)"
                : "the journal \(path) was made by \(other.script), not by \(script); \(remedy)"
        }
        if let arguments, let others = other.arguments, arguments != others {
            return "the journal \(path) was made with the script's arguments \(others), not \(arguments); \(remedy)"
        }
        guard seed == other.seed else {
            return "the journal \(path) was made with --seed \(other.seed), not \(seed); \(remedy)"
        }
        return nil
    }
}
