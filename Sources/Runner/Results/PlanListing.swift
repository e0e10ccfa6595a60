import DLP
import Journal
import Planning
import Report

/// What `--plan` does: it says by the times in a journal how long the job would take on other numbers of ranks.
struct PlanListing {
    private let plan: Plan
    /// The most memory that any rank held, in bytes, where the journal says so.
    private let memory: Int64?
    private let path: SystemString
    private let ranks: [Int]

    /// Prints the plan of a job by the journal at `path`, and writes its numbers to the file of `--output`.
    ///
    /// - Parameter ranks: the numbers of ranks; where none is named those that are worth looking at.
    static func run(path: SystemString, stage: String?, ranks: [Int], _ options: JobOptions) throws {
        try FileClash.check([("--plan", path), ("--output", options.output)])
        let listing = try PlanListing(path, stage, ranks, options)
        let rows = try listing.rows()
        if let output = options.output { try listing.write(rows, to: output) }
        try listing.show(rows)
    }

    private init(_ path: SystemString, _ stage: String?, _ ranks: [Int], _ options: JobOptions) throws {
        let reader = try JournalReader(path: path)
        let stage = try reader.onlyStage(stage)
        var seconds: [Double] = []
        var memory: Int64?
        var (end, next) = (0, 0)
        let flaws = try reader.forEach { record in
            guard record.stage == stage, let index = record.index, index >= next else { return }
            next = index + 1
            end = max(end, next)
            if let time = record.seconds { seconds.append(time) }
            if let peak = record.peak { memory = max(memory ?? 0, peak) }
        }
        if let flaws { throw UsageError(flaws) }
        guard !seconds.isEmpty else {
            throw UsageError("\(path) has no example that is done: there is nothing to go by")
        }
        if reader.lengths[stage] == nil {
            Diagnostics.write(
                "no job has seen the end of the list: the plan is for the \(seconds.count) examples of \(path)")
        }
        var conduct = Plan.Conduct()
        conduct.policy = options.chunk.map { .fixed($0) } ?? .adaptive
        conduct.hasShares = options.mode == .roundRobin
        conduct.rootWorks = options.rootWorks != .no
        plan = Plan(seconds: seconds, of: reader.lengths[stage] ?? seconds.count, conduct)
        self.memory = memory
        self.path = path
        self.ranks = ranks
    }

    /// A row for each number of ranks, and from how many on more are of little use.
    private func rows() throws -> (rows: [Plan.Row], useful: Int) {
        let useful = try plan.usefulRanks()
        var numbers = ranks
        if numbers.isEmpty {
            // Powers of two, up to the first that is of no use.
            var number = 1
            while number < 2 * useful {
                numbers.append(number)
                number *= 2
            }
            numbers.append(number)
        }
        return (try numbers.map { try plan.row(ranks: $0) }, useful)
    }

    private func show(_ result: (rows: [Plan.Row], useful: Int)) throws {
        let (total, longest) = plan.work
        let known = plan.isExtrapolated ? "\(plan.measured) of \(plan.count)" : "\(plan.count)"
        let estimate = plan.isExtrapolated ? "all take about" : "take"
        print(
            "\(known) examples are measured; \(estimate) \(Figures.time(seconds: total)) of work, the longest of them "
                + Figures.time(seconds: longest))
        var table = [["ranks", "time", "efficiency", "rank hours"]]
        if memory != nil { table[0].append("fullest rank") }
        if plan.isExtrapolated { table[0].append("nine of ten times") }
        for row in result.rows {
            var cells = [
                "\(row.ranks)", Figures.time(seconds: row.makespan), "\(Figures.fixed(100 * row.efficiency, 0))%",
                Figures.fixed(row.rankSeconds / 3600, row.rankSeconds < 36_000 ? 3 : 1),
            ]
            // Whichever rank gets the example that needs most, one does.
            if let memory { cells.append(Figures.bytes(memory)) }
            if plan.isExtrapolated {
                let ends = [row.range.lowerBound, row.range.upperBound].map { Figures.time(seconds: $0) }
                cells.append("\(ends[0]) to \(ends[1])")
            }
            table.append(cells)
        }
        let widths = table[0].indices.map { column in table.map { $0[column].count }.max() ?? 0 }
        for cells in table {
            let padded = zip(cells, widths).map { String(repeating: " ", count: $1 - $0.count) + $0 }
            print(padded.joined(separator: "   "))
        }
        print("more than \(Figures.count(result.useful, "rank")) would shorten it by less than 5%")
    }

    private func write(_ result: (rows: [Plan.Row], useful: Int), to path: SystemString) throws {
        var writer = try ResultWriter(path: path)
        for (place, row) in result.rows.enumerated() {
            var members: [(String, Value)] = [
                ("ranks", .integer(Int64(row.ranks))), ("seconds", .double(row.makespan)),
                ("from", .double(row.range.lowerBound)), ("to", .double(row.range.upperBound)),
                ("efficiency", .double(row.efficiency)), ("rank_seconds", .double(row.rankSeconds)),
            ]
            if let memory { members.append(("memory", .integer(memory))) }
            let record = Value.map(members.map { (.text($0), $1) })
            try writer.append(index: place, item: try record.encoded())
        }
        try writer.finish(count: result.rows.count)
    }
}
