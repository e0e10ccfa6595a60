import DLP
import Planning
import Report

extension PageFile {
    /// What other numbers of ranks would bring to a job of `count` examples, by the lengths of those that the page knows of.
    func plan(of count: Int?, _ conduct: Plan.Conduct = Plan.Conduct()) -> [PagePlan] {
        let seconds = measuredSeconds
        guard seconds.count > 1 else { return [] }
        // The page does without where schedule and simulation do not fit together.
        let curve = try? Plan(seconds: seconds, of: count ?? seconds.count, conduct).curve()
        return (curve ?? []).map { PagePlan(ranks: $0.ranks, seconds: $0.seconds) }
    }
}

extension Plan.Conduct {
    /// As the job is told to work.
    init(_ settings: JobSettings) {
        self.init()
        policy = settings.chunk.map { .fixed($0) } ?? .adaptive
        hasShares = settings.mode == .roundRobin
        rootWorks = settings.rootWorks
    }
}
