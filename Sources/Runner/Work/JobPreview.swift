import DLP
import Glibc
import Journal
import LuaHost

/// What a job that goes on with a journal would do, for a user who only asks.
struct JobPreview {
    let host: LuaHost
    let examples: Examples
    let script: Script
    let settings: JobSettings
    /// The reach of `work`.
    let reach: Reach?

    /// Returns one line about the whole job, or about one example, by its index from 1.
    ///
    /// - Throws: `UsageError` where the answer cannot be known.
    func line(about example: Int?) throws -> String {
        if let choice = try settings.choice() {
            throw UsageError("--dry-run and --why say what the whole job would do: leave \(choice) out")
        }
        guard let journal = settings.journal else {
            throw UsageError("--dry-run and --why say what a job would do that goes on with a --journal: name one")
        }
        guard journal.policy == .goOn else {
            throw UsageError("--dry-run and --why ask what would be done again: leave --keep and --fresh out")
        }
        guard let count = examples.count else {
            throw UsageError(
                "--dry-run and --why need a list of known length, and these examples are read as they come: let examples() "
                    + "return a table or a number")
        }
        if let example, example > count { throw UsageError("--why \(example): there are \(count) examples") }
        let ledger: ExampleLedger
        guard access(journal.path.cString, F_OK) == 0 else {
            return example.map { "example \($0) would be done: there is no journal yet" }
                ?? "\(count) examples would be done: there is no journal yet"
        }
        do {
            let identity = JournalIdentity(script, seed: settings.seed)
            ledger = try StoredRows(reading: journal.path, for: identity)
                .ledger(code: reach.map { CodeVersion(identity, $0) })
        } catch { throw UsageError("\(error)") }
        var done = 0
        for index in 0..<count {
            let digest: Digest
            do { digest = try host.digest(of: examples, at: index, for: .journal) } catch {
                throw PhaseError(phase: .examples, error: error)
            }
            let isDone = ledger.add(digest).stored != nil
            if index + 1 == example { return outlook(index, ledger, isDone: isDone) }
            if isDone { done += 1 }
        }
        return summary(ledger, done: done, of: count)
    }

    private func outlook(_ index: Int, _ ledger: ExampleLedger, isDone: Bool) -> String {
        let name = "example \(index + 1)"
        if isDone { return "\(name) is done, and stays so" }
        if let changes = ledger.changes(since: index) {
            return "\(name) would be done again, because \(EditWords.list(changes)) changed"
        }
        if ledger.hasFailed(index) { return "\(name) has failed, and would be tried again" }
        return "\(name) would be done: the journal does not have it"
    }

    private func summary(_ ledger: ExampleLedger, done: Int, of count: Int) -> String {
        let outdated = (0..<count).count { ledger.changes(since: $0) != nil }
        let failed = (0..<count).count { ledger.hasFailed($0) }
        let new = count - done - outdated - failed
        var parts = ["\(done) of \(count) examples are done and stay so"]
        if outdated > 0 {
            parts.append(
                "\(outdated) would be done again, because \(EditWords.list(ledger.edit?.changes ?? [])) changed")
        }
        if failed > 0 { parts.append("\(failed) that have failed would be tried again") }
        if new > 0 { parts.append("\(new) that the journal does not have would be done") }
        return parts.joined(separator: "; ")
    }
}
