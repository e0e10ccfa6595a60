import DLP
import Planning
import Report

extension PageFile {
    /// Returns how long a job of `count` examples would take on other numbers of ranks, from the lengths that the
    /// page knows.
    func plan(of count: Int?, _ conduct: Plan.Conduct = Plan.Conduct()) -> [PagePlan] {
        let seconds = measuredSeconds
        guard seconds.count > 1 else { return [] }
        // The page omits the plan where schedule and simulation do not agree.
        let curve = try? Plan(seconds: seconds, of: count ?? seconds.count, conduct).curve()
        return (curve ?? []).map { PagePlan(ranks: $0.ranks, seconds: $0.seconds) }
    }
}

extension Plan.Conduct {
    /// The conduct that the job's settings prescribe.
    init(_ settings: JobSettings) {
        self.init()
        policy = settings.chunk.map { .fixed($0) } ?? .adaptive
        hasShares = settings.mode == .roundRobin
        rootWorks = settings.rootWorks
    }
}
