import DLP
import Journal
import LuaHost

/// The costs of a list's examples relative to each other, as far as known before any of them is done: from the
/// script's `cost`, and from the seconds that they took before.
struct KnownCosts {
    let host: LuaHost
    let examples: Examples
    /// Whether the script has a function `cost`.
    let hasFunction: Bool
    /// The seconds that examples took in an earlier run.
    let seconds: KnownSeconds?
    /// Told before and after the costs are determined.
    let observer: RootObserver
    /// Whether no more examples are to be begun.
    let isHalted: () -> Bool

    /// The longest list that is ordered.
    ///
    /// The costs of a longer one would take gigabytes.
    static let longestList = 1 << 28

    /// Returns the costs of the examples in these ranges, by their indices from 0; 0 for the examples between them.
    ///
    /// Where both sources are known, the seconds are used, and the script's costs of the other examples are scaled to
    /// seconds. An example without any known cost counts as the mean of the others.
    func costs(of ranges: [Range<Int>]) throws -> [Double] {
        let end = ranges.last?.upperBound ?? 0
        let asked = hasFunction ? ranges.reduce(0) { $0 + $1.count } : 0
        let count = CostCount(wanted: asked + (seconds == nil ? 0 : end))
        observer.note(costs: count)
        defer { observer.note(costs: nil) }
        var costs: [Double]?
        if hasFunction {
            let isHalted = {
                count.increment()
                return self.isHalted()
            }
            do { costs = try host.costs(of: examples, in: ranges, isHalted: isHalted) } catch {
                throw PhaseError(phase: .cost, error: error.error, example: error.index + 1, given: error.given)
            }
        }
        guard let seconds else { return costs ?? [] }
        // Equal examples are told apart by their number of occurrence, so those before the choice count too.
        var occurrences: [Digest: Int] = [:]
        var known = [Double](repeating: .nan, count: end)
        for index in 0..<end {
            count.increment()
            do throws(ScriptError) {
                let digest = try host.digest(of: examples, at: index, for: .journal)
                let occurrence = occurrences[digest, default: 0] + 1
                occurrences[digest] = occurrence
                known[index] = seconds.examples[ExampleKey(digest: digest, occurrence: occurrence)] ?? .nan
            } catch { throw PhaseError(phase: .examples, error: error) }
        }
        return fill(known, with: costs, in: ranges, mean: seconds.mean)
    }

    /// Fills in the costs where no seconds are known.
    private func fill(_ known: [Double], with costs: [Double]?, in ranges: [Range<Int>], mean: Double) -> [Double] {
        let indices = ranges.lazy.joined()
        var factor = 1.0
        if let costs {
            let measured = indices.lazy.filter { !known[$0].isNaN }
            let (time, cost) = measured.reduce((0.0, 0.0)) { ($0.0 + known[$1], $0.1 + costs[$1]) }
            if time > 0, cost > 0, cost.isFinite { factor = time / cost }
        }
        var filled = [Double](repeating: 0, count: known.count)
        for index in indices {
            filled[index] = known[index].isNaN ? costs.map { min($0[index] * factor, 1e300) } ?? mean : known[index]
        }
        return filled
    }
}

extension KnownSeconds {
    /// Reads the seconds from the file of `--costs`.
    ///
    /// - Throws: `UsageError` where it holds none.
    init(fileOf path: SystemString) throws(UsageError) {
        do { self = try JournalReader(path: path).seconds() } catch { throw UsageError("--costs: \(error)") }
        guard !examples.isEmpty else {
            throw UsageError("--costs: \(path) has no example of a job with the seconds that it took")
        }
    }

    /// Reads the seconds of those examples in a journal that are to be done again; nil where there are none.
    init?(of journal: JournalSettings) {
        // If the journal is damaged, the user is told when it is opened.
        guard let reader = try? JournalReader(path: journal.path),
            let seconds = try? reader.seconds(ofFailedOnly: journal.policy != .fresh), !seconds.examples.isEmpty
        else { return nil }
        self = seconds
    }
}
