import DLP
import Simulation
import Testing

@testable import MPIBackend

@Suite("Order of arrival")
struct ArrivalOrderTests {
    static func message(_ number: Int) -> Message { Message(.done, first: number) }

    @Test("a small message waits for a large one that its rank sent before, but not for another rank's")
    func overtaking() {
        var order = ArrivalOrder()
        let large = order.begin(from: 1)
        order.append(Self.message(1), from: 1)
        order.append(Self.message(2), from: 2)
        #expect(order.popFirst()?.source == 2)
        #expect(order.popFirst() == nil)
        order.finish(large, Self.message(0))
        #expect(order.popFirst()?.message == Self.message(0))
        #expect(order.popFirst()?.message == Self.message(1))
        #expect(order.popFirst() == nil)
    }

    @Test(
        "every rank's messages come out complete and in the order in which they began",
        arguments: 0..<50 as Range<UInt64>)
    func randomWalk(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var order = ArrivalOrder()
        var open: [(ArrivalOrder.Place, Int, Int)] = []
        var begun = [0, 0, 0]
        var delivered = [0, 0, 0]
        func deliver() {
            while let (message, source) = order.popFirst() {
                #expect(message == Self.message(delivered[source]), "seed \(seed)")
                #expect(!open.contains { $0.1 == source && $0.2 <= delivered[source] }, "seed \(seed)")
                delivered[source] += 1
            }
        }
        for _ in 0..<500 {
            let source = Int.random(in: 0..<3, using: &generator)
            switch Int.random(in: 0..<4, using: &generator) {
            case 0:
                order.append(Self.message(begun[source]), from: source)
                begun[source] += 1
            case 1:
                open.append((order.begin(from: source), source, begun[source]))
                begun[source] += 1
            default:
                guard let index = open.indices.randomElement(using: &generator) else { continue }
                let (place, _, number) = open.remove(at: index)
                order.finish(place, Self.message(number))
            }
            deliver()
        }
        for (place, _, number) in open.shuffled(using: &generator) { order.finish(place, Self.message(number)) }
        open = []
        deliver()
        #expect(delivered == begun, "seed \(seed)")
    }
}
