import AME
import DLP

/// Counts the primes below a million on all ranks: what a program of its own can do with the library DLP.
///
///     swift build && .build/debug/ameexec -np 4 .build/debug/primes
///
/// A package of its own names the library in its Package.swift as `.product(name: "DLP", package: "dlp-lua")`.
@main
struct Primes {
    /// One example is one range of this many numbers.
    private static let range = 10_000
    private static let examples = 100

    static func main() throws {
        guard let environment = try AMEEnvironment(), environment.size > 1 else {
            return try runRoot(RootPort { ThreadCommunicator.alone() })
        }
        if environment.rank == 0 {
            try runRoot(
                RootPort { () throws(CommunicationError) in
                    try AMERoot(environment: environment, connectTimeout: 60_000_000_000)
                })
        } else {
            let worker = WorkerPort(try AMEWorker(environment: environment, connectTimeout: 60_000_000_000))
            _ = try count(worker)
            _ = try worker.finish()
        }
    }

    private static func runRoot(_ port: RootPort) throws {
        let total = try count(port)
        try port.waitForOthers()
        port.stop(status: 0)
        print("\(total) primes below \(range * examples), counted by \(port.size) ranks")
    }

    /// Does this rank's part of the loop; on the root it adds up what the others send too.
    private static func count(_ port: some Port) throws -> Int64 {
        let loop = try port.enterLoop(
            length: examples, options: LoopOptions(results: .stream, examples: .replicated))
        var total: Int64 = 0
        while true {
            switch try port.event(of: loop) {
            case .work(let chunk, _, _):
                var results = ByteWriter()
                let time = ContinuousClock().measure {
                    for index in chunk.indices {
                        results.appendInteger(primes(in: index * range..<(index + 1) * range))
                    }
                }
                try port.finish(
                    loop, first: chunk.first, completed: chunk.count, nanoseconds: UInt64(time / .nanoseconds(1)),
                    results: results.finish())
            case .results(let run):
                total += try run.results.withUnsafeBytes { (buffer) throws(CodecError) in
                    var reader = CBORReader(buffer)
                    var sum: Int64 = 0
                    for _ in 0..<run.count { sum += try reader.readHead().integer ?? 0 }
                    return sum
                }
            case .hungry, .failed, .deliver, .list, .returned: break
            case .end, .halted: return total
            }
        }
    }

    private static func primes(in range: Range<Int>) -> Int64 {
        Int64(
            range.count { number in
                guard number > 1 else { return false }
                var divisor = 2
                while divisor * divisor <= number {
                    if number % divisor == 0 { return false }
                    divisor += 1
                }
                return true
            })
    }
}
