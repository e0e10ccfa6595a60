import DLP
import Journal
import LuaHost

/// The wording of messages about changes to a script.
enum EditWords {
    /// Lists the first changes, to be used in a sentence.
    static func list(_ changes: [String]) -> String {
        let shown = changes.prefix(3)
        let inner = shown.dropLast().map { $0.hasSuffix(",") ? "\($0) " : "\($0), " }.joined() + (shown.last ?? "")
        return changes.count > 3 ? "\(inner) and \(changes.count - 3) more" : inner
    }
}

extension ExampleLedger.Edit {
    /// Returns a sentence about the examples that are done.
    func described(of stage: String?) -> String {
        let place = stage.map { "stage \($0): " } ?? ""
        let function = stage == nil ? "work" : "its function"
        let event = isOfText ? "the script has changed" : "the script is the same"
        if outdated > 0 {
            return "\(place)\(event): of \(done) examples that are done \(outdated) are out of date, because "
                + "\(EditWords.list(changes)) changed; --keep believes them"
        }
        guard changes.isEmpty else {
            return
                "\(place)\(event), but not \(EditWords.list(changes)) which \(function) reaches: what is done stays done "
                + "(--fresh does it again; dlp.depends says in the script what results depend on)"
        }
        if isUnmet { return "\(place)\(event), but nothing that an example has met: what is done stays done" }
        return "\(place)\(event), but nothing that \(function) reaches: what is done stays done"
    }
}

extension CodeVersion {
    /// The version of the code that makes results with a function of this reach.
    init(_ identity: JournalIdentity, _ reach: Reach) {
        self.init(
            identity, modules: reach.modules, reach: reach.digest,
            parts: reach.parts.map { Part(name: $0.name, place: $0.place, digest: $0.digest, isValue: $0.isValue) },
            obstacles: reach.obstacles, inputs: reach.inputs, graph: reach.graph)
    }
}

extension JournalIdentity {
    /// The identity of a job with this script.
    init(_ script: Script, seed: Int64) {
        self.init(script: script.name, text: script.source, arguments: script.arguments, seed: seed)
    }
}
