import DLP
import Glibc
import LuaHost

/// The input whose records are the examples of a script without a function `examples`.
struct ExampleInput {
    /// Nil: standard input.
    var path: SystemString?
    var format: InputReader.Format

    /// The default: standard input, divided into lines.
    init() { format = .lines }

    /// - Returns: nil where the options name no input.
    /// - Throws: `UsageError` where the file's suffix stands for a format that is not supported.
    init?(_ options: JobOptions) throws(UsageError) {
        guard options.input != nil || options.format != nil else { return nil }
        path = options.input == "-" ? nil : options.input
        if let wanted = options.format { format = wanted } else { format = try Self.format(of: path) }
    }

    /// Returns the format for the suffix of a file's name.
    private static func format(of path: SystemString?) throws(UsageError) -> InputReader.Format {
        guard let path, let dot = path.bytes.lastIndex(of: UInt8(ascii: ".")) else { return .lines }
        let suffix = String(decoding: path.bytes[dot...].dropFirst(), as: UTF8.self).lowercased()
        switch suffix {
        case "csv": return .csv
        case "tsv": return .tsv
        case "jsonl", "ndjson": return .jsonl
        case "json":
            throw UsageError(
                "\(path): JSON Lines have the suffix .jsonl, or --format jsonl is said; a file that is one JSON value is for "
                    + "dlp.json.decode in a function examples()")
        default:
            let readers = ["gz": "zcat", "bz2": "bzcat", "xz": "xzcat", "zst": "zstdcat"]
            guard let reader = readers[suffix] else { return .lines }
            throw UsageError("\(path) is compressed: pipe it, as in \(reader) \(path) | dlp-lua --input - --format csv")
        }
    }

    /// Its name in messages.
    var name: SystemString { path ?? "standard input" }

    /// The word for its records.
    var records: String {
        switch format {
        case .lines: "line"
        case .nul: "string that NUL ends"
        case .csv, .tsv: "row"
        case .jsonl: "JSON value"
        }
    }

    /// Opens it.
    ///
    /// - Throws: `UsageError` where it cannot be opened.
    func open() throws(UsageError) -> Int32 {
        guard let path else { return STDIN_FILENO }
        let descriptor = Glibc.open(path.cString, O_RDONLY | O_CLOEXEC | O_NOCTTY)
        var facts = stat()
        guard descriptor >= 0, fstat(descriptor, &facts) == 0 else {
            throw UsageError("cannot open \(path): \(String(cString: strerror(errno)))")
        }
        guard facts.st_mode & S_IFMT != S_IFDIR else {
            throw UsageError("\(path) is a directory; --input takes a file")
        }
        return descriptor
    }
}

/// An input that has been opened.
struct OpenInput {
    let input: ExampleInput
    let descriptor: Int32

    /// Reads the records on a separate thread, because reading may block; only as many as the hand-out asks for.
    ///
    /// - Parameter end: ends the job where a record cannot be read.
    func feed(_ feed: ExampleFeed, end: @escaping @Sendable (JobEnd) -> Void) throws {
        if input.path == nil {
            StandardInput.mentionTerminal(
                "the examples are the \(input.records)s of standard input (the script has no function examples)")
        }
        feed.takeOver()
        let (input, descriptor) = (input, descriptor)
        try ServiceThread.detach {
            do {
                let ahead = input.path == nil ? StandardInput.takeReadAhead() : []
                let reader = try InputReader(
                    descriptor: descriptor, name: input.name, format: input.format, ahead: ahead)
                while feed.waitForDemand() {
                    guard let records = try reader.read() else { return try feed.close() }
                    try feed.add(records)
                }
            } catch let error as ScriptError {
                end(.fault(JobJournal.fault(UsageError(error.message))))
            } catch { end(error as? JobEnd ?? .fault(JobJournal.fault(error))) }
        }
    }
}
