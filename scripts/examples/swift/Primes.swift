import AME
import DLP

/// Counts primes on all ranks.
///
/// Build it by `swift build -c release --product primes`, and start it by `ameexec -np 4 .build/release/primes`.
@main
struct Primes {
    static func main() {
        Job.run { job in
            let starts = stride(from: 0, to: 200_000, by: 10_000)
            let counts = try job.map(Array(starts), retries: 1) { start in
                (start..<start + 10_000).count { isPrime($0) }
            }
            if let counts { print("\(counts.reduce(0, +)) primes below 200000, counted by \(job.size) ranks") }
        }
    }

    static func isPrime(_ number: Int) -> Bool {
        number > 1 && (2...).lazy.prefix { $0 * $0 <= number }.allSatisfy { number % $0 > 0 }
    }
}
