import DLP
import Testing

@Suite("Round robin")
struct ScheduleRoundRobinTests {
    @Test("every example belongs to exactly one rank", arguments: 0...9, 1...5)
    func partition(length: Int, size: Int) {
        let schedule = RoundRobinSchedule(length: length, size: size)
        var owners = Array(repeating: [Int](), count: length)
        for rank in 0..<size {
            #expect(schedule.count(of: rank) == Array(schedule.indices(of: rank)).count)
            for example in schedule.indices(of: rank) { owners[example].append(rank) }
        }
        for example in 0..<length { #expect(owners[example] == [schedule.rank(of: example)]) }
    }

    @Test("rank r of n does r, r + n, r + 2n")
    func order() {
        #expect(Array(RoundRobinSchedule(length: 10, size: 4).indices(of: 1)) == [1, 5, 9])
    }
}
