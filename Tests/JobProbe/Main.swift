import AME
import DLP
import Glibc

/// A program of a library user, for the end-to-end tests: does what its first argument names.
@main
struct Main {
    private struct Point: Codable {
        var x: Int
        var name: String?
        var weights: [String: Double]
    }

    private struct Refusal: Error, CustomStringConvertible {
        var description: String
    }

    static func main() {
        Job.run { job in
            switch CommandLine.arguments.dropFirst().first {
            case "twice":
                // Only rank 0 has the points.
                let points = (1...20).map { Point(x: $0, name: $0 % 2 == 0 ? nil : "p", weights: ["w": 0.5]) }
                let doubled = try job.map(job.isRoot ? points : []) { point in
                    Point(x: point.x * 2, name: point.name, weights: point.weights)
                }
                let sums = try job.map(doubled ?? []) {
                    Double($0.x) + ($0.weights["w"] ?? 0) + ($0.name == nil ? 0 : 0.25)
                }
                if let sums { print(sums.reduce(0, +)) }
            case "failing":
                let numbers = try job.map(0..<50, retries: 2) { number in
                    if number == 7 { throw Refusal(description: "no sevens") }
                    return number
                }
                if numbers != nil { print("this is not reached") }
            case "results":
                let results = try job.mapResults(0..<50) { number in
                    if number % 10 == 7 { throw Refusal(description: "no sevens") }
                    return number
                }
                guard let results else { return }
                print(results.count, results.compactMap { try? $0.get() }.reduce(0, +))
                for case .failure(let failure) in results { print(failure.index, failure.message, failure.attempts) }
            case "killed":
                let numbers = try job.map(0..<50) { number in
                    // One worker dies in its first example, and the others wait for that.
                    if job.rank > 0, open("killed", O_CREAT | O_EXCL, 0o600) >= 0 { kill(getpid(), SIGKILL) }
                    while access("killed", F_OK) != 0 { usleep(1000) }
                    return number
                }
                if let numbers { print(numbers == Array(0..<50)) }
            case "throwing":
                if job.rank == 1 { throw Refusal(description: "enough") }
                _ = try job.map(0..<50) { $0 }
            case let word: throw Refusal(description: "what is \(word ?? "nothing")?")
            }
        }
    }
}
