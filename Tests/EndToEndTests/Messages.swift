extension Outcome {
    /// Whether standard error is one message of `program` that contains all `parts`, perhaps with Lua's traceback.
    func isOneMessage(_ program: String, with parts: String...) -> Bool {
        let starts = error.split(separator: "\n").filter { !$0.hasPrefix("\t") && $0 != "stack traceback:" }
        return starts.count == 1 && error.hasPrefix("\(program): ") && parts.allSatisfy { error.contains($0) }
            && !error.contains("Fatal error")
    }

    /// How many Lua tracebacks are on standard error.
    var tracebackCount: Int { error.split(separator: "\n").count { $0 == "stack traceback:" } }

    /// The first lines of dlp-lua's messages on standard error, without those of a launcher.
    var complaints: [Substring] { error.split(separator: "\n").filter { $0.hasPrefix("dlp-lua: ") } }

    /// The greetings of `--info`, sorted.
    var hellos: [String] { EndToEndTests.hellos(in: output) }
}

/// Returns the sorted greetings of `--info` in the ranks' output, even where a launcher tears lines.
func hellos(in output: String) -> [String] {
    output.matches(of: /Hello from [^!\n]*!/).map { String($0.output) }.sorted()
}

/// Returns the greetings of `size` ranks.
func hellos(of size: Int) -> [String] { (0..<size).map { "Hello from rank \($0) of \(size)!" } }
