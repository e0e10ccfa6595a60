import DLP
import Testing

@testable import Journal

/// Which examples an edit concerns, judged by what each example has met of the script.
@Suite("How what is reached hangs together")
struct ReachGraphTests {
    /// A part named by a letter: its content, whether it is a function, and what it reaches.
    private typealias Part = (name: String, content: String, extent: ReachGraph.Extent, references: [(Int, Int)])

    private func version(_ parts: [Part], roots: [(Int, Bool)] = [(0, false)], obstacle: String? = nil) -> CodeVersion {
        let identity = JournalIdentity(script: "job.lua", text: Bytes(Array("\(parts)".utf8)), arguments: [], seed: 0)
        let graph = ReachGraph(
            extents: parts.map(\.extent),
            references: parts.map { $0.references.map { ReachGraph.Reference(part: $0.0, table: $0.1) } },
            roots: roots.map { ReachGraph.Root(part: $0.0, isWhole: $0.1) }, layout: digest("\(parts)"))
        return CodeVersion(
            identity, modules: digest(""), reach: digest("\(parts)"),
            parts: parts.map { CodeVersion.Part(name: $0.name, place: "", digest: digest($0.content)) },
            obstacles: obstacle.map { [$0] } ?? [], graph: graph)
    }

    private func trace(_ functions: Int...) -> ExampleTrace {
        var bits = [UInt8](repeating: 0, count: 2)
        for function in functions { bits[function / 8] |= 1 << UInt8(function % 8) }
        return ExampleTrace(functions: bits, files: [])
    }

    /// work reaches f, g and the value v; f reaches w.
    private let base: [Part] = [
        ("work", "1", .entered, [(1, 0), (2, 0), (3, 0)]), ("f", "2", .entered, [(4, 0)]), ("g", "3", .entered, []),
        ("v", "4", .always, []), ("w", "5", .always, []),
    ]

    private func edited(_ place: Int, _ change: (inout Part) -> Void) -> CodeVersion {
        var parts = base
        change(&parts[place])
        return version(parts)
    }

    @Test("only what was entered counts, and the values that it reaches")
    func entered() {
        let old = version(base)
        #expect(version(base).changes(since: old, for: trace(0)) == [])
        #expect(edited(1) { $0.content = "x" }.changes(since: old, for: trace(0)) == [])
        #expect(edited(1) { $0.content = "x" }.changes(since: old, for: trace(0, 1)) == ["f"])
        #expect(edited(3) { $0.content = "x" }.changes(since: old, for: trace(0)) == ["v"])
        #expect(edited(4) { $0.content = "x" }.changes(since: old, for: trace(0, 2)) == [])
        #expect(edited(4) { $0.content = "x" }.changes(since: old, for: trace(0, 1)) == ["w"])
        #expect(edited(0) { $0.content = "x" }.changes(since: old, for: trace(0)) == ["work"])
    }

    @Test("what was one thing must not be two, nor two one")
    func identity() {
        let old = version(base)
        // g in place of f: the same where neither was entered, because only a function that is entered matters.
        let swapped = edited(0) { $0.references = [(2, 0), (1, 0), (3, 0)] }
        #expect(swapped.changes(since: old, for: trace(0)) == [])
        #expect(swapped.changes(since: old, for: trace(0, 1))?.isEmpty == false)
        let merged = edited(0) { $0.references = [(1, 0), (1, 0), (3, 0)] }
        #expect(merged.changes(since: old, for: trace(0))?.isEmpty == false)
        #expect(old.changes(since: merged, for: trace(0))?.isEmpty == false)
        let other = edited(0) { $0.references = [(1, 0), (2, 0), (3, 1)] }
        #expect(other.changes(since: old, for: trace(0))?.isEmpty == false)
        #expect(edited(0) { $0.references = [(1, 0)] }.changes(since: old, for: trace(0))?.isEmpty == false)
        #expect(edited(1) { $0.extent = .always }.changes(since: old, for: trace(0))?.isEmpty == false)
    }

    @Test("what is whole counts with all that is behind it")
    func whole() {
        var parts = base
        parts[1].extent = .whole
        let old = version(parts)
        parts[4].content = "x"
        #expect(version(parts).changes(since: old, for: trace(0)) == ["w"])
        let roots = [(0, false), (1, true)]
        var changed = base
        changed[4].content = "x"
        #expect(version(changed, roots: roots).changes(since: version(base, roots: roots), for: trace(0)) == ["w"])
    }

    @Test("where nobody can know, it says so")
    func unknown() {
        let old = version(base)
        #expect(version(base, obstacle: "calls load").changes(since: old, for: trace(0)) == nil)
        #expect(old.changes(since: version(base, obstacle: "calls load"), for: trace(0)) == nil)
        var bare = old
        bare.graph = nil
        #expect(bare.changes(since: old, for: trace(0)) == nil && old.changes(since: bare, for: trace(0)) == nil)
        #expect(version(base, roots: []).changes(since: old, for: trace(0)) == nil)
    }

    @Test("it is kept in a journal as it is")
    func coding() throws {
        let code = version(base, roots: [(0, true), (3, false)])
        #expect(CodeVersion(encoded: code.encoded) == code)
        // References to parts that do not exist.
        let broken = version([("work", "1", .entered, [(7, 0)])])
        #expect(broken.changes(since: broken, for: trace(0))?.isEmpty == false)
    }

    @Test("rows stay whose examples have not met what changed, and the others are done again")
    func rows() throws {
        let scratch = try JournalScratch()
        func run(_ version: CodeVersion, _ traces: [String: ExampleTrace]) throws -> (
            done: [Int], edit: ExampleLedger.Edit?
        ) {
            let file = try scratch.open()
            let ledger = try file.rows().ledger(code: version)
            let list = ["a", "b", "c"]
            let undone = list.indices.filter { add(list[$0], to: ledger).stored == nil }
            ledger.complete()
            let writer = try JournalWriter(file, ledger) { Issue.record("\($0)") }
            for index in undone {
                if let trace = traces[list[index]] {
                    let report = TraceReport(
                        reach: version.reach ?? digest(""), kept: nil, traces: [trace.encoded],
                        runs: [.init(first: index, count: 1, trace: 0)])
                    ledger.note(report, by: 0)
                }
                writer.note(
                    .done(try results(index, [.text("r")]), host: "here", ExampleCost(nanoseconds: 1), attempts: 1),
                    in: ledger)
            }
            try writer.close()
            return (undone, ledger.edit)
        }
        // The trace of c is unknown.
        let traces = ["a": trace(0), "b": trace(0, 1)]
        #expect(try run(version(base), traces).done == [0, 1, 2])
        let mended = edited(1) { $0.content = "x" }
        let (done, edit) = try run(mended, ["b": trace(0, 1), "c": trace(0, 2)])
        #expect(done == [1, 2])
        #expect(edit?.outdated == 2 && edit?.done == 3 && edit?.changes == ["f"])
        #expect(try run(mended, [:]).done == [])
        // a is still judged by the version with which it was made, c by what it has met since.
        var both = base
        (both[1].content, both[2].content) = ("x", "y")
        #expect(try run(version(both), ["c": trace(0)]).done == [2])
        both[2].content = "z"
        let unmet = try run(version(both), [:])
        #expect(unmet.done == [] && unmet.edit?.isUnmet == true)
    }
}
