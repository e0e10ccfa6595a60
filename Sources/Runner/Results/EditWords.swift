import DLP
import Journal
import LuaHost

/// How messages speak of what has changed of a script.
enum EditWords {
    /// What else one might want.
    static let remedy = "; --keep believes what is done"

    /// Some of what has changed, as it stands in a sentence.
    static func list(_ changes: [String]) -> String {
        let shown = changes.prefix(3).joined(separator: ", ")
        return changes.count > 3 ? "\(shown) and \(changes.count - 3) more" : shown
    }
}

extension ExampleLedger.Edit {
    /// A sentence about what is done: `verb` says what becomes of outdated examples.
    func described(as verb: String, of stage: String?) -> String {
        let place = stage.map { "stage \($0): " } ?? ""
        let function = stage == nil ? "work" : "its function"
        guard outdated > 0 else {
            return "\(place)the script has changed, but nothing that \(function) reaches: what is done stays done"
        }
        let event = isOfText ? "the script has changed" : "the script is the same, but what \(function) reaches is not"
        return "\(place)\(event): \(outdated) of \(done) examples \(verb), because \(EditWords.list(changes)) changed"
    }
}

extension CodeVersion {
    /// What is made with a function of the script that reaches this.
    init(_ identity: JournalIdentity, _ reach: Reach) {
        self.init(
            identity, reach: reach.digest,
            parts: reach.parts.map { Part(name: $0.name, place: $0.place, digest: $0.digest) },
            obstacles: reach.obstacles)
    }
}

extension JournalIdentity {
    /// That of a job with this script.
    init(_ script: Script, seed: Int64) {
        self.init(script: script.name, text: script.source, arguments: script.arguments, seed: seed)
    }
}
