/// Which examples a rank does in the mode `round-robin`: rank r of n does r, r + n, r + 2n and so on, from 0.
public struct RoundRobinSchedule: Sendable, Hashable {
    /// How many examples there are.
    public let length: Int
    /// How many ranks share them.
    public let size: Int

    /// The schedule of `length` examples for `size` ranks.
    public init(length: Int, size: Int) {
        self.length = max(length, 0)
        self.size = max(size, 1)
    }

    /// The examples of `rank`.
    public func share(of rank: Int) -> Chunk {
        Chunk(first: 0, count: length).share(of: rank, among: size, after: 0)
    }
}

extension Chunk {
    /// The share of the rank `number` of `size` in these consecutive examples, which stand behind `position` others in
    /// a list that is shared out.
    func share(of number: Int, among size: Int, after position: Int) -> Chunk {
        let offset = (number - position % size + size) % size
        return Chunk(first: first + offset, count: offset < count ? (count - offset - 1) / size + 1 : 0, stride: size)
    }
}
