import DLP

/// A rank's examples in mode `round-robin`: `first`, `first + stride`, ...
struct RoundRobinShare {
    let first: Int
    let stride: Int
    private let isIdle: Bool
    private var total: Int?

    init(rank: Int, settings: JobSettings, size: Int) {
        // A root that does not work leaves its turn to the others.
        stride = settings.rootWorks ? size : size - 1
        first = settings.rootWorks ? rank : rank - 1
        isIdle = first < 0
    }

    /// How many examples of `total` are this rank's.
    func count(of total: Int?) -> Int {
        guard !isIdle, let total = total ?? self.total else { return 0 }
        return RoundRobinSchedule(length: total, size: stride).count(of: first)
    }

    /// Receives this rank's examples from the root: how many there are in all, and the encoded ones.
    mutating func receive(_ port: any Port) throws -> Bytes {
        let part = try port.scatter([])
        let head = part.withUnsafeBytes { $0.loadUnaligned(as: UInt64.self) }
        total = Int(UInt64(littleEndian: head))
        return part[8..<part.count]
    }

    /// What `receive` takes apart.
    static func part(total: Int, examples: [Bytes]) -> Bytes {
        var writer = ByteWriter()
        writer.append(littleEndian: UInt64(total))
        for example in examples { writer.append(example) }
        return writer.finish()
    }
}
