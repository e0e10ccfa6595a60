import ArgumentParser
import DLP
import Runner

/// The command line of dlp-lua.
struct Command: ParsableCommand {
    /// The parser looks for its own option that prints completions by means of two more commands, which take a seventh of
    /// the time of each start; but not in what claims to be the command of another.
    static let configuration =
        CommandLine.arguments.contains { $0.hasPrefix("--generate-completion-script") }
        ? CommandConfiguration(commandName: "dlp-lua", helpNames: [])
        : CommandConfiguration(commandName: "dlp-lua", _superCommandName: "", helpNames: [])

    // Values are text here: the script's own options are checked by the same rules, and every further type of value
    // costs a tenth of a millisecond at each start.
    @Option(name: .customShort("e"), parsing: .unconditional) var chunkText: String?
    @Option(completion: .list(["map", "managed", "round-robin"])) var mode: String?
    @Option(completion: .list(["ame", "mpi", "none"])) var backend: String?
    @Option(parsing: .unconditional) var chunk: String?
    @Option(completion: .list(["yes", "no"])) var rootWorks: String?
    @Option(completion: .list(["replicate", "root"])) var examples: String?
    @Option(parsing: .unconditional) var seed: String?
    @Option(completion: .list(["stop", "continue"])) var onError: String?
    @Option(parsing: .unconditional) var retries: String?
    @Option(parsing: .unconditional) var crashLimit: String?
    @Option(parsing: .unconditional) var connectTimeout: String?
    @Option var joinable: String?
    @Option var join: String?
    @Option(completion: .list(["auto", "on", "off"])) var progress: String?
    @Option(completion: .file(extensions: ["jsonl", "json", "csv"])) var output: String?
    @Option(completion: .file(extensions: ["svg", "json"])) var timeline: String?
    @Option(parsing: .unconditional) var timeout: String?
    @Option(parsing: .unconditional) var memory: String?
    @Option(parsing: .unconditional) var stopAfter: String?
    @Flag var sandbox = false
    @Flag var encrypt = false
    @Option(name: [.customLong("np", withSingleDash: true), .customShort("n")], parsing: .unconditional) var np: String?
    @Option(completion: .file()) var journal: String?
    @Option(completion: .file()) var results: String?
    @Flag var keep = false
    @Flag var fresh = false
    @Flag var check = false
    @Flag var info = false
    @Argument(parsing: .captureForPassthrough, completion: .file(extensions: ["lua"])) var words: [String] = []

    mutating func validate() throws {
        // The words take everything from the first one on that is no option of ours.
        switch words.first {
        case "--help", "-h": throw CleanExit.message(helpText)
        case "--version": throw CleanExit.message("dlp-lua \(Version.current)")
        case "--": words.removeFirst()
        case let first? where first.hasPrefix("-") && first != "-" && !isEndOfOptions(before: words):
            throw ValidationError("there is no option \(first)")
        default: break
        }
        if join != nil {
            if chunkText != nil || !words.isEmpty || check || info || results != nil {
                throw ValidationError("--join takes script and options from the job that it joins")
            }
        } else if results != nil {
            if chunkText != nil || !words.isEmpty {
                throw ValidationError("--results shows a journal, without a script")
            }
        } else if !info && chunkText == nil && words.isEmpty {
            throw ValidationError("no script was given")
        }
    }

    /// Whether `--` stands before the last words, where the parser has dropped it.
    private func isEndOfOptions(before words: [String]) -> Bool {
        CommandLine.arguments.dropLast(words.count).last == "--"
    }

    /// How many ranks to start here, where that was asked for.
    var ranks: Int? {
        get throws {
            guard let np else { return nil }
            guard let number = Int(np), number >= 1 else {
                throw UsageError("-np must be a number of ranks from 1 on, not '\(np)'")
            }
            return number
        }
    }

    /// What is to be done, without the number of ranks.
    func invocation() throws -> Invocation {
        var options = JobOptions()
        let values = [
            ("mode", mode), ("backend", backend), ("chunk", chunk), ("root-works", rootWorks), ("examples", examples),
            ("seed", seed), ("on-error", onError), ("retries", retries), ("crash-limit", crashLimit),
            ("connect-timeout", connectTimeout), ("joinable", joinable), ("progress", progress), ("output", output),
            ("timeout", timeout), ("memory", memory), ("journal", journal), ("keep", keep ? "yes" : nil),
            ("fresh", fresh ? "yes" : nil), ("encrypt", encrypt ? "yes" : nil), ("stop-after", stopAfter),
            ("timeline", timeline),
        ]
        for case (let name, let value?) in values { try options.set(name, value) }
        options.isSandboxed = sandbox
        if let join {
            // These two concern its own connection.
            let given =
                values.filter { $1 != nil && !["connect-timeout", "encrypt"].contains($0) }.map(\.0)
                + (sandbox ? ["sandbox"] : [])
            if let other = given.first {
                throw UsageError("--join takes --\(other) from the job that it joins: leave it out")
            }
            guard let address = JobAddress(join), address.host != nil, address.port != 0 else {
                throw UsageError("--join must be HOST:PORT, as the job has said it, not '\(join)'")
            }
            return Invocation(source: .running(address), arguments: [], task: .run, options: options)
        }
        if let results {
            return Invocation(source: .journal(results), arguments: [], task: .run, options: options)
        }
        let task: Invocation.Task = info ? .info : check ? .check : .run
        if let chunkText {
            return Invocation(source: .text(chunkText), arguments: words, task: task, options: options)
        }
        guard let script = words.first else {
            return Invocation(source: .none, arguments: [], task: task, options: options)
        }
        return Invocation(
            source: script == "-" ? .standardInput : .file(script), arguments: Array(words.dropFirst()), task: task,
            options: options)
    }

    /// The arguments for each rank: all but `-np N`, which stands before the script.
    static func withoutRanks(_ arguments: some Sequence<String>) -> [String] {
        var rest: [String] = []
        var skipsNext = false
        var isDone = false
        for argument in arguments {
            if skipsNext {
                skipsNext = false
            } else if !isDone, argument == "-np" || argument == "-n" {
                (skipsNext, isDone) = (true, true)
            } else if !isDone, argument.hasPrefix("-np=") || argument.hasPrefix("-n=") {
                isDone = true
            } else {
                rest.append(argument)
            }
        }
        return rest
    }
}
