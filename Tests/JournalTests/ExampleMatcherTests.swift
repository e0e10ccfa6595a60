import DLP
import Planning
import Testing

@testable import Journal

/// Which examples of a list are in a journal, after any change of the list.
struct ExampleMatcherTests {
    /// The rows of a job that had `list` and did the examples that `done` selects.
    private func rows(_ list: [String], done: (Int) -> Bool = { _ in true }) -> [ExampleKey: JournalRow] {
        var matcher = ExampleMatcher([:])
        var rows: [ExampleKey: JournalRow] = [:]
        for (index, example) in list.enumerated() {
            let key = matcher.match(digest(example)).key
            if done(index) { rows[key] = JournalRow(id: Int64(index), index: index, isDone: true) }
        }
        return rows
    }

    /// Returns for each example of `list` the place that it had when it was done.
    private func found(_ list: [String], in rows: [ExampleKey: JournalRow]) -> [Int?] {
        var matcher = ExampleMatcher(rows)
        return list.map { matcher.match(digest($0)).row?.index }
    }

    @Test("an unchanged list finds each result where it was, equal examples too")
    func unchanged() {
        let list = ["a", "b", "a", "a", "c", "b"]
        #expect(found(list, in: rows(list)) == [0, 1, 2, 3, 4, 5])
        #expect(found(list, in: rows(list) { $0 != 2 }) == [0, 1, nil, 3, 4, 5])
    }

    @Test("a list that was reordered, extended or cut finds what it still has")
    func changed() {
        let before = rows(["a", "b", "c"])
        #expect(found(["c", "a", "b"], in: before) == [2, 0, 1])
        #expect(found(["x", "a", "b", "y", "c", "z"], in: before) == [nil, 0, 1, nil, 2, nil])
        #expect(found(["c"], in: before) == [2])
        #expect(found([], in: before) == [])
    }

    @Test("one more of equal examples is new")
    func duplicated() {
        #expect(found(["a", "a", "a"], in: rows(["a", "a"])) == [0, 1, nil])
    }

    @Test("after any edits each row is found at most once, by an equal example, and none is missed", arguments: 0..<100)
    func randomEdits(_ seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let names = (0..<Int.random(in: 1...12, using: &random)).map { "example \($0)" }
        func pick() -> String { names[Int.random(in: names.indices, using: &random)] }
        let list = (0..<Int.random(in: 0...40, using: &random)).map { _ in pick() }
        let isDone = list.map { _ in Bool.random(using: &random) }
        var edited = list
        for _ in 0..<Int.random(in: 0...15, using: &random) {
            switch Int.random(in: 0..<3, using: &random) {
            case 0: edited.insert(pick(), at: Int.random(in: 0...edited.count, using: &random))
            case 1 where !edited.isEmpty: edited.remove(at: Int.random(in: edited.indices, using: &random))
            default: edited.shuffle(using: &random)
            }
        }
        let found = found(edited, in: rows(list) { isDone[$0] })
        let places = found.compactMap { $0 }
        #expect(Set(places).count == places.count, "seed \(seed)")
        for (example, place) in zip(edited, found) {
            if let place { #expect(list[place] == example && isDone[place], "seed \(seed)") }
        }
        // The k-th of several equal examples finds the result of the k-th only.
        for name in names {
            let before = list.indices.filter { list[$0] == name }
            let after = edited.indices.filter { edited[$0] == name }
            let expected = before.prefix(after.count).map { isDone[$0] ? $0 : nil }
            #expect(after.prefix(before.count).map { found[$0] } == expected, "seed \(seed)")
            #expect(after.dropFirst(before.count).allSatisfy { found[$0] == nil }, "seed \(seed)")
        }
    }
}
