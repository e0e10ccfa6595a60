import Codec
import Testing

@testable import Engine

@Suite("What ranks say that examples have met")
struct ExampleTraceTests {
    private let trace = ExampleTrace(
        functions: [0b101, 1],
        files: [
            .init(path: [0x2F, 0xFF, 0], size: -1, seconds: 1, nanoseconds: 2),
            .init(path: [], size: 3, seconds: -4, nanoseconds: 5),
        ])

    @Test("a trace travels, and says what was entered")
    func single() {
        #expect(ExampleTrace(encoded: trace.encoded) == trace)
        #expect((0..<20).filter { trace.hasEntered($0) } == [0, 2, 8])
        #expect(ExampleTrace(encoded: Bytes([])) == nil)
        let encoded = trace.encoded.withUnsafeBytes { Array($0) }
        for length in 0..<encoded.count { #expect(ExampleTrace(encoded: Bytes(Array(encoded[..<length]))) == nil) }
    }

    @Test("a report travels", arguments: [nil, "cache"])
    func report(kept: String?) throws {
        let report = TraceReport(
            reach: Digest(high: .max, low: 1), kept: kept, traces: [trace.encoded, .empty],
            runs: [.init(first: 0, count: 3, trace: 1), .init(first: 3, count: 1, trace: -1)])
        let message = Message(toRoot: .traces(loop: 7, report))
        guard case .traces(7, let found) = try ToRoot(message, from: 1) else {
            Issue.record("it is another message")
            return
        }
        #expect(found.reach == report.reach && found.kept == kept && found.runs == report.runs)
        #expect(found.traces == report.traces)
    }

    @Test(
        "a report that cannot be is none",
        arguments: [
            (-1, 1, 0), (0, -1, 0), (0, 1, 1), (0, 1, -2), (Int.max, 1, 0), (0, 1 << 40, 0),
        ])
    func impossible(first: Int, count: Int, place: Int) {
        let report = TraceReport(
            reach: Digest(high: 0, low: 0), kept: nil, traces: [trace.encoded],
            runs: [.init(first: first, count: count, trace: place)])
        #expect(TraceReport(encoded: report.encoded) == nil)
    }
}
