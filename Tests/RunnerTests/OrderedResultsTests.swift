import DLP
import Testing

@testable import Runner

@Suite("Results in the order of the examples")
struct OrderedResultsTests {
    /// A run whose results are the indices of its examples.
    private func run(_ first: Int, _ count: Int, stride: Int = 1) -> ResultRun {
        var results = ByteWriter()
        for number in 0..<count { results.appendInteger(Int64(first + number * stride)) }
        return ResultRun(first: first, count: count, stride: stride, results: results.finish(), rank: 0)
    }

    /// Returns what comes out when `runs` go in.
    private func order(_ runs: [ResultRun]) throws -> [Int] {
        var ordered = OrderedResults()
        var emitted: [Int] = []
        for run in runs {
            ordered.add(run)
            while let next = try ordered.popNext() { emitted += try indices(in: next) }
        }
        #expect(ordered.isEmpty == (ordered.waitingBytes == 0))
        return emitted
    }

    /// Returns the examples of a run, which its results name.
    private func indices(in run: ResultRun) throws -> [Int] {
        try run.results.withUnsafeBytes { bytes in
            var reader = CBORReader(bytes)
            let indices = try (0..<run.count).map { number in
                let index = try reader.readHead().integer
                #expect(index == Int64(run.first + number * run.stride))
                return Int(index ?? -1)
            }
            #expect(reader.remaining == 0)
            return indices
        }
    }

    @Test("of chosen examples those that are not chosen are not waited for")
    func chosen() throws {
        var ordered = OrderedResults(ExampleSelection([2..<4, 7..<8]))
        for run in [run(7, 1), run(3, 1)] {
            ordered.add(run)
            #expect(try ordered.popNext()?.first == nil)
        }
        ordered.add(run(2, 1))
        #expect(try [2, 3, 7].map { try ordered.popNext()?.first == $0 } == [true, true, true])
        #expect(ordered.isEmpty)
    }

    @Test("chunks come out in order, whatever the order in which they come in", arguments: 0..<24)
    func chunks(_ permutation: Int) throws {
        var chunks = [run(0, 3), run(3, 1), run(4, 5), run(9, 2)]
        var shuffled: [ResultRun] = []
        var rest = permutation
        for size in (1...4).reversed() {
            shuffled.append(chunks.remove(at: rest % size))
            rest /= size
        }
        #expect(try order(shuffled) == Array(0..<11))
    }

    @Test("evenly spaced runs are woven together", arguments: 1...5, 0...11)
    func strides(_ ranks: Int, _ total: Int) throws {
        let runs = (0..<ranks).reversed().map { rank in
            run(rank, rank < total ? (total - rank + ranks - 1) / ranks : 0, stride: ranks)
        }
        #expect(try order(runs) == Array(0..<total))
    }

    @Test("what comes before a gap comes out at once, the rest waits")
    func gap() throws {
        #expect(try order([run(0, 2), run(5, 3), run(2, 1)]) == [0, 1, 2])
    }
}
