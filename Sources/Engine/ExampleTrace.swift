public import Codec

/// What an example has met of its script: the functions that it has entered, and the files that it has opened to read.
///
/// Where more may have been done than anybody can note, there is none.
public struct ExampleTrace: Sendable, Hashable {
    /// A file as it was when it was opened.
    public struct File: Sendable, Hashable {
        /// As the script has named it.
        public var path: [UInt8]
        /// In bytes; -1 where there was none.
        public var size: Int64
        /// When it was changed last, in seconds since 1970.
        public var seconds: Int64
        /// And so many nanoseconds of the next one.
        public var nanoseconds: Int64

        /// A file.
        public init(path: [UInt8], size: Int64, seconds: Int64, nanoseconds: Int64) {
            (self.path, self.size, self.seconds, self.nanoseconds) = (path, size, seconds, nanoseconds)
        }
    }

    /// Eight functions a byte, the first in its lowest bit; those behind the last byte were not entered.
    public var functions: [UInt8]
    /// The files.
    public var files: [File]
    /// Whether it may have entered anything, so that only these files are known.
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

    /// One encoded value.
    public var encoded: Bytes {
        let files = files.map {
            Value.array([.bytes($0.path), .integer($0.size), .integer($0.seconds), .integer($0.nanoseconds)])
        }
        // It is within every limit of the encoder.
        return (try? Value.array([.bytes(functions), .array(files), .bool(isOpen)]).encoded()) ?? .empty
    }

    /// What `encoded` has written; nil for anything else.
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

/// What examples have met that a rank is about to report.
public struct TraceReport: Sendable {
    /// Examples one after another that have met the same.
    public struct Run: Sendable, Equatable {
        /// The first, from 0.
        public var first: Int
        /// How many there are.
        public var count: Int
        /// The place of their trace in the report; -1: there is none.
        public var trace: Int

        /// A run.
        public init(first: Int, count: Int, trace: Int) {
            (self.first, self.count, self.trace) = (first, count, trace)
        }
    }

    /// Of what the function reaches on that rank: only where the root has the same do numbers mean the same, and values.
    public var reach: Digest
    /// What examples have changed that others may find changed, as a message names it; nil where nobody has seen such a thing.
    public var kept: String?
    /// Each of them once, encoded.
    public var traces: [Bytes]
    /// Which examples they are of.
    public var runs: [Run]

    /// A report.
    public init(reach: Digest, kept: String?, traces: [Bytes], runs: [Run]) {
        (self.reach, self.kept, self.traces, self.runs) = (reach, kept, traces, runs)
    }

    /// As it travels: the digest, the runs and the traces.
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

    /// What `encoded` holds; nil where it holds nothing of the kind.
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

    /// No rank reports more examples at once.
    private static let mostExamples = 1 << 32
}
