import DLP

@testable import LuaHost

extension LoneRank {
    /// Calls `work` on the example `index`, counted from 1, of a job whose `examples()` returns a number.
    ///
    /// Returns the error that it raised, or nil.
    func workError(_ index: Int) -> ScriptError? {
        var found: ScriptError?
        _ = try? host.work(Chunk(first: index - 1, count: 1), of: .count(1 << 40), sent: nil) { found = $1.error }
        return found
    }

    /// Prepares the job of a script.
    func open(_ text: String) throws -> Examples {
        try run(text)
        return try host.openJob(evaluate: true)
    }
}
