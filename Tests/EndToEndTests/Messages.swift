extension Outcome {
    /// Whether standard error is one message of `program`, with all of `parts`, perhaps with Lua's traceback.
    func isOneMessage(_ program: String, with parts: String...) -> Bool {
        let starts = error.split(separator: "\n").filter { !$0.hasPrefix("\t") && $0 != "stack traceback:" }
        return starts.count == 1 && error.hasPrefix("\(program): ") && parts.allSatisfy { error.contains($0) }
            && !error.contains("Fatal error")
    }

    /// How many of Lua's tracebacks stand on standard error.
    var tracebackCount: Int { error.split(separator: "\n").count { $0 == "stack traceback:" } }
}
