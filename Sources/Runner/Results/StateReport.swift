import CSystem
import DLP
import Glibc
import Journal
import Report

/// What each rank of a job does, for a user who asks while the job runs.
struct StateReport {
    private let progress: LoopProgress?
    private let costing: ProgressState.Costing?
    private let states: [RankState]
    /// The present time, in nanoseconds of the monotonic clock, and in seconds since 1970.
    private let now: UInt64
    private let date: time_t

    /// - Parameters:
    ///   - progress: how far the latest loop is.
    ///   - costing: for how many examples the costs are known, while they are being determined.
    init(
        _ progress: LoopProgress?, _ states: [RankState], costing: ProgressState.Costing? = nil, now: UInt64,
        date: time_t
    ) {
        (self.progress, self.costing, self.states, self.now, self.date) = (progress, costing, states, now, date)
    }

    /// A line on the job, and one for each rank.
    var text: String { ([summary] + states.map { "\t\(line($0))" }).joined(separator: "\n") }

    private var summary: String {
        let busy = states.count { if case .works = $0.activity { true } else { false } }
        let lost = states.count { $0.activity == .isLost }
        let ranks = "\(busy) of \(states.count) ranks at work" + (lost > 0 ? ", \(lost) lost" : "")
        if let costing {
            return "asks what examples cost, so far of \(costing.known) of \(costing.wanted); \(ranks)"
        }
        guard let progress else { return "no examples have been handed out; \(ranks)" }
        let failed = progress.failures > 0 ? ", \(progress.failures) of which failed" : ""
        let total = progress.total.map { " of \($0)" } ?? ""
        return "\(progress.done)\(total) examples done\(failed); \(ranks)"
    }

    private func line(_ state: RankState) -> String {
        let place = state.host.map { " (host \($0))" } ?? ""
        return "rank \(state.rank)\(place): \(text(state.activity))"
    }

    private func text(_ activity: RankState.Activity) -> String {
        switch activity {
        case .works(let chunk, let since):
            let first = chunk.first + 1
            let last = first + (chunk.count - 1) * chunk.stride
            let examples =
                chunk.count == 1
                ? "example \(first)"
                : chunk.stride == 1 ? "examples \(first) to \(last)" : "\(chunk.count) examples of \(first) to \(last)"
            let age = now - min(since, now)
            return "\(examples), since \(clock(age)), for \(seconds(age)) s"
        case .waits: return "waits for an example"
        case .sendsResults: return "sends its results"
        case .isElsewhere: return "is not at an example"
        case .hasFinished: return "has finished"
        case .isLost: return "is lost"
        }
    }

    /// Formats a time span in seconds, with one decimal.
    private func seconds(_ nanoseconds: UInt64) -> String {
        let tenths = nanoseconds / 100_000_000
        return "\(tenths / 10).\(tenths % 10)"
    }

    /// Returns the time of day, in this host's time zone, of a moment `age` nanoseconds ago.
    private func clock(_ age: UInt64) -> String {
        var moment = date - time_t(age / 1_000_000_000)
        var parts = tm()
        localtime_r(&moment, &parts)
        return [parts.tm_hour, parts.tm_min, parts.tm_sec].map { $0 < 10 ? "0\($0)" : "\($0)" }.joined(separator: ":")
    }
}

extension StateReport {
    /// Converts the states for users that watch the job's journal.
    static func watchedRanks(_ states: [RankState]) -> [WatchedRank] {
        let (present, now) = (WallClock.now, dlp_now())
        return states.map { state in
            guard case .works(let chunk, let since) = state.activity else {
                return WatchedRank(
                    rank: state.rank, host: state.host, work: nil, since: present, isLost: state.activity == .isLost)
            }
            let age = Double(now - min(since, now)) / 1e9
            return WatchedRank(
                rank: state.rank, host: state.host, work: (chunk.first, chunk.count), since: present - age)
        }
    }
}
