import CSystem
import DLP
import Journal
import Planning
import Report

/// What `--plan` does: from the times in a journal it computes how long the job would take on other numbers of ranks.
struct PlanListing {
    private let plan: Plan
    /// How much memory ranks need, and which hosts they are on, where the journal says so.
    private let memory: MemoryNeed?
    private let places: HostPlaces?
    private let planned: PlannedRanks

    /// The most rows for hosts that are named without `-np`.
    private static let mostRows = 12

    /// Prints the plan for the job of the journal at `path`, and writes its numbers to the file of `--output`.
    ///
    /// - Parameter planned: the numbers of ranks, where given, and the hosts.
    static func run(path: SystemString, stage: String?, _ planned: PlannedRanks, _ options: JobOptions) throws {
        try FileClash.check([("--plan", path), ("--output", options.output)])
        let listing = try PlanListing(path, stage, planned, options)
        let rows = try listing.rows()
        if let output = options.output { try listing.write(rows, to: output) }
        try listing.show(rows)
    }

    private init(
        _ path: SystemString, _ stage: String?, _ planned: PlannedRanks, _ options: JobOptions
    ) throws {
        let reader = try JournalReader(path: path)
        let stage = try reader.onlyStage(stage)
        let (measured, flaws) = try reader.measuredExamples(of: stage)
        if let flaws { throw UsageError(flaws) }
        let count = measured.seconds.count
        guard count > 0 else {
            throw UsageError("\(path) has no example that is done: there is nothing to go by")
        }
        if reader.lengths[stage] == nil {
            Diagnostics.write("no job has seen the end of the list: the plan is for the \(count) examples of \(path)")
        }
        var conduct = Plan.Conduct()
        conduct.policy = options.chunk.map { .fixed($0) } ?? .adaptive
        conduct.hasShares = options.mode == .roundRobin
        conduct.rootWorks = options.rootWorks != .no
        plan = Plan(seconds: measured.seconds, of: reader.lengths[stage] ?? count, conduct)
        memory = MemoryNeed(peaks: measured.peaks, of: plan.count)
        places = planned.places.map { .listed($0) } ?? measured.ranksPerHost.map { .each($0) }
        self.planned = planned
    }

    /// Returns a row for each number of ranks, and the number from which on more ranks are of little use.
    private func rows() throws -> (rows: [Plan.Row], useful: Int) {
        let useful = try plan.usefulRanks()
        var numbers = planned.numbers
        if numbers.isEmpty, let places = planned.places {
            // Rows for one host, two, three and so on up to all; with many hosts the number doubles from row to row.
            var hosts = 1
            while hosts < places.count, numbers.count < Self.mostRows {
                numbers.append(places[..<hosts].reduce(0, +))
                hosts = places.count <= Self.mostRows ? hosts + 1 : 2 * hosts
            }
            numbers.append(places.reduce(0, +))
        } else if numbers.isEmpty {
            // Powers of two, up to the first that is of little use.
            var number = 1
            while number < 2 * useful {
                numbers.append(number)
                number *= 2
            }
            numbers.append(number)
        }
        return (try Self.rows(of: plan, numbers), useful)
    }

    /// Computes the rows on all processors.
    private static func rows(of plan: Plan, _ numbers: [Int]) throws -> [Plan.Row] {
        let results = Monitor<(next: Int, rows: [Int: Result<Plan.Row, any Error>])>((0, [:]))
        let work: @Sendable () -> Void = {
            while true {
                let place = results.withLock { state in
                    defer { state.next += 1 }
                    return state.next
                }
                guard place < numbers.count else { return }
                let row = Result { try plan.row(ranks: numbers[place]) }
                results.withLock { $0.rows[place] = row }
            }
        }
        let others = min(Int(dlp_processors()), numbers.count) - 1
        let threads = (0..<max(0, others)).compactMap { _ in try? ServiceThread(work) }
        work()
        for thread in threads { thread.join() }
        return try numbers.indices.compactMap { place in try results.withLock { $0.rows[place] }?.get() }
    }

    private func show(_ result: (rows: [Plan.Row], useful: Int)) throws {
        let (total, longest) = plan.work
        let known = plan.isExtrapolated ? "\(plan.measured) of \(plan.count)" : "\(plan.count)"
        let estimate = plan.isExtrapolated ? "all take about" : "take"
        print(
            "\(known) examples are measured; \(estimate) \(Figures.time(seconds: total)) of work, the longest of them "
                + Figures.time(seconds: longest))
        let table = columns.map { column in [column.head] + result.rows.map(column.cell) }
        let widths = table.map { cells in cells.map(\.count).max() ?? 0 }
        for line in 0...result.rows.count {
            let padded = zip(table, widths).map { cells, width in
                String(repeating: " ", count: width - cells[line].count) + cells[line]
            }
            print(padded.joined(separator: "   "))
        }
        print("more than \(Figures.count(result.useful, "rank")) would shorten it by less than 5%")
        if case .each(let ranks)? = places {
            print("with \(Figures.count(ranks, "rank")) to a host, as in the run; --hosts a:16,b:16 says otherwise")
        }
    }

    private struct Column {
        var head: String
        var cell: (Plan.Row) -> String
    }

    private var columns: [Column] {
        var columns = [Column(head: "ranks") { "\($0.ranks)" }]
        if let places { columns.append(Column(head: "hosts") { "\(places.spread($0.ranks).hosts)" }) }
        columns.append(Column(head: "time") { Figures.time(seconds: $0.makespan) })
        if plan.isExtrapolated {
            columns.append(
                Column(head: "nine of ten times") { row in
                    "\(Figures.time(seconds: row.range.lowerBound)) to \(Figures.time(seconds: row.range.upperBound))"
                })
        }
        if plan.canOrder {
            columns.append(Column(head: "longest first") { $0.longestFirst.map { Figures.time(seconds: $0) } ?? "" })
        }
        columns.append(Column(head: "efficiency") { "\(Figures.fixed(100 * $0.efficiency, 0))%" })
        columns.append(Column(head: "rank hours") { Self.hours($0.rankSeconds) })
        if let places {
            columns.append(
                Column(head: "host hours") { Self.hours($0.makespan * Double(places.spread($0.ranks).hosts)) })
        }
        // Some rank gets the example that needs most memory, so that the value is the same in every row.
        if let memory { columns.append(Column(head: "fullest rank") { _ in Figures.bytes(memory.ofRank) }) }
        if let memory, let places {
            columns.append(
                Column(head: "fullest host") { Figures.bytes(memory.most(of: places.spread($0.ranks).most)) })
        }
        return columns
    }

    private static func hours(_ seconds: Double) -> String { Figures.fixed(seconds / 3600, seconds < 36_000 ? 3 : 1) }

    private func write(_ result: (rows: [Plan.Row], useful: Int), to path: SystemString) throws {
        var writer = try ResultWriter(path: path)
        for (place, row) in result.rows.enumerated() {
            var members: [(String, Value)] = [
                ("ranks", .integer(Int64(row.ranks))), ("seconds", .double(row.makespan)),
                ("from", .double(row.range.lowerBound)), ("to", .double(row.range.upperBound)),
                ("efficiency", .double(row.efficiency)), ("rank_seconds", .double(row.rankSeconds)),
            ]
            if let time = row.longestFirst { members.append(("longest_first", .double(time))) }
            if let memory { members.append(("memory", .integer(memory.ofRank))) }
            if let spread = places?.spread(row.ranks) {
                members.append(("hosts", .integer(Int64(spread.hosts))))
                members.append(("host_seconds", .double(row.makespan * Double(spread.hosts))))
                if let memory { members.append(("host_memory", .integer(memory.most(of: spread.most)))) }
            }
            let record = Value.map(members.map { (.text($0), $1) })
            try writer.append(index: place, item: try record.encoded())
        }
        try writer.finish(count: result.rows.count)
    }
}
