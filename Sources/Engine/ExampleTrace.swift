public import Codec

/// What an example has used of its script: the functions that it entered, and the files that it opened to read.
///
/// An example that may have done more than can be recorded has no trace.
public struct ExampleTrace: Sendable, Hashable {
    /// A file as it was when it was opened.
    public struct File: Sendable, Hashable {
        /// The path as the script wrote it.
        public var path: [UInt8]
        /// The size in bytes; -1 where there was no file.
        public var size: Int64
        /// The time of the last change, in seconds since 1970.
        public var seconds: Int64
        /// The nanoseconds of that time beyond `seconds`.
        public var nanoseconds: Int64

        /// A file.
        public init(path: [UInt8], size: Int64, seconds: Int64, nanoseconds: Int64) {
            (self.path, self.size, self.seconds, self.nanoseconds) = (path, size, seconds, nanoseconds)
        }
    }

    /// One bit for each function, eight to a byte, the first in the lowest bit.
    ///
    /// Functions beyond the last byte were not entered.
    public var functions: [UInt8]
    /// The files.
    public var files: [File]
    /// Whether the example may have entered any function, so that only the files are known.
    public var isOpen: Bool

    /// A trace.
    public init(functions: [UInt8], files: [File], isOpen: Bool = false) {
        self.functions = functions
        self.files = files
        self.isOpen = isOpen
    }

    /// Whether the function with this number was entered.
    public func hasEntered(_ function: Int) -> Bool {
        function / 8 < functions.count && functions[function / 8] >> UInt8(function % 8) & 1 == 1
    }

    /// The trace as one encoded value.
    public var encoded: Bytes {
        let files = files.map {
            Value.array([.bytes($0.path), .integer($0.size), .integer($0.seconds), .integer($0.nanoseconds)])
        }
        // It is within every limit of the encoder.
        return (try? Value.array([.bytes(functions), .array(files), .bool(isOpen)]).encoded()) ?? .empty
    }

    /// Reads what `encoded` has written; nil for anything else.
    public init?(encoded: Bytes) {
        guard case .array(let parts)? = try? Value(decoding: encoded), parts.count == 3,
            case .bytes(let functions) = parts[0], case .array(let items) = parts[1], case .bool(let isOpen) = parts[2]
        else { return nil }
        var files: [File] = []
        for item in items {
            guard case .array(let facts) = item, facts.count == 4, case .bytes(let path) = facts[0],
                case .integer(let size) = facts[1], case .integer(let seconds) = facts[2],
                case .integer(let nanoseconds) = facts[3]
            else { return nil }
            files.append(File(path: path, size: size, seconds: seconds, nanoseconds: nanoseconds))
        }
        self.init(functions: functions, files: files, isOpen: isOpen)
    }
}

/// The traces of examples that a rank is about to report.
public struct TraceReport: Sendable {
    /// Consecutive examples that have the same trace.
    public struct Run: Sendable, Equatable {
        /// The first, from 0.
        public var first: Int
        /// How many there are.
        public var count: Int
        /// The index of their trace in `traces`; -1: they have none.
        public var trace: Int

        /// A run.
        public init(first: Int, count: Int, trace: Int) {
            (self.first, self.count, self.trace) = (first, count, trace)
        }
    }

    /// The digest of what the function can reach on that rank.
    ///
    /// Only where the root's digest is the same do the numbers and values of the report mean the same there.
    public var reach: Digest
    /// Something that examples have changed and that other examples may find changed, by its name in messages; nil
    /// where no such change was seen.
    public var kept: String?
    /// Each different trace once, encoded.
    public var traces: [Bytes]
    /// Which examples have which trace.
    public var runs: [Run]

    /// A report.
    public init(reach: Digest, kept: String?, traces: [Bytes], runs: [Run]) {
        (self.reach, self.kept, self.traces, self.runs) = (reach, kept, traces, runs)
    }

    /// The report as it is sent: the digest, `kept`, the traces and the runs.
    var encoded: Bytes {
        let numbers = runs.flatMap { [$0.first, $0.count, $0.trace] }
        let traces = traces.map { trace in Value.bytes(trace.withUnsafeBytes { Array($0) }) }
        let digest = [reach.high, reach.low].map { Value.integer(Int64(bitPattern: $0)) }
        // A flat array of short values is within every limit of the encoder.
        return
            (try? Value.array(
                digest + [
                    kept.map { .text($0) } ?? .null, .array(traces), .array(numbers.map { .integer(Int64($0)) }),
                ]
            ).encoded()) ?? .empty
    }

    /// Reads the report that `encoded` holds; nil where it holds none.
    init?(encoded: Bytes) {
        guard case .array(let parts)? = try? Value(decoding: encoded), parts.count == 5,
            case .integer(let high) = parts[0], case .integer(let low) = parts[1], case .array(let traces) = parts[3],
            case .array(let items) = parts[4], items.count % 3 == 0
        else { return nil }
        reach = Digest(high: UInt64(bitPattern: high), low: UInt64(bitPattern: low))
        if case .text(let name) = parts[2] { kept = name }
        self.traces = traces.compactMap { if case .bytes(let bytes) = $0 { Bytes(bytes) } else { nil } }
        let numbers = items.compactMap { if case .integer(let number) = $0 { Int(number) } else { nil } }
        guard self.traces.count == traces.count, numbers.count == items.count else { return nil }
        runs = stride(from: 0, to: numbers.count, by: 3).map {
            Run(first: numbers[$0], count: numbers[$0 + 1], trace: numbers[$0 + 2])
        }
        let isPossible = runs.allSatisfy { run in
            run.first >= 0 && 0...Self.mostExamples ~= run.count && run.first <= Int.max - run.count
                && -1..<self.traces.count ~= run.trace
        }
        guard isPossible else { return nil }
    }

    /// The most examples that a rank reports at once.
    private static let mostExamples = 1 << 32
}
