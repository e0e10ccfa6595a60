import CLuaHost
import Journal
import SystemSupport

/// Does what the command line asks about a journal, without a script.
///
/// Only rank 0 does it, because all ranks were called with the same command line.
///
/// - Returns: the exit status; nil where the command line asks for something else.
func lookIntoJournal(_ invocation: Invocation) -> Int32? {
    /// Returns what is wrong with the journal; nil where nothing is.
    let look: () throws -> String?
    switch invocation.source {
    case .journal(let path, let stage):
        look = { try JournalListing.run(path: path, stage: stage, invocation.options) }
    case .plan(let path, let stage, let planned):
        look = {
            try PlanListing.run(path: path, stage: stage, planned, invocation.options)
            return nil
        }
    case .watch(let path, let stage):
        look = {
            try JournalFollower.run(path: path, stage: stage)
            return nil
        }
    case .file, .text, .command, .standardInput, .running, .none: return nil
    }
    guard Detection.rankByVariables(.own) == 0 else { return 0 }
    do {
        let flaws = try look()
        guard dlp_flush() == 0 else {
            throw UsageError(incompleteOutput)
        }
        if let flaws { throw UsageError(flaws) }
        return 0
    } catch {
        Diagnostics.write((error as? UsageError)?.message ?? "\(error)")
        return 2
    }
}
