import DLP
public import Launcher
import Planning

/// The numbers of ranks to plan for, and the hosts on which they are to be.
public struct PlannedRanks: Equatable, Sendable {
    /// The numbers of `-np 1,2,4`; empty: those that are worth looking at.
    public var numbers: [Int] = []
    /// How many ranks each host has room for, as `--hosts a:8,b:16` says; nil: as in the job of the journal.
    public var places: [Int]?
}

extension StartOptions {
    /// Returns the numbers of ranks to plan for.
    ///
    /// - Throws: `UsageError` for a number that is invalid, or larger than the hosts' room.
    public func plannedRanks() throws(UsageError) -> PlannedRanks {
        var planned = PlannedRanks()
        planned.places = try plannedPlaces()
        guard let text = ranks?.description else { return planned }
        planned.numbers = text.split(separator: ",", omittingEmptySubsequences: false).map { Int($0) ?? 0 }
        guard planned.numbers.allSatisfy({ 1...Plan.mostRanks ~= $0 }) else {
            throw UsageError("--plan takes numbers of ranks from 1 to \(Plan.mostRanks), as -np 1,2,4: not -np \(text)")
        }
        if let room = planned.places?.reduce(0, +), let most = planned.numbers.max(), most > room {
            throw UsageError("the hosts have places for \(room) ranks: there can be no plan for -np \(most)")
        }
        return planned
    }

    /// Returns how many ranks each host has room for, where hosts are named.
    private func plannedPlaces() throws(UsageError) -> [Int]? {
        var start = self
        start.ranks = nil
        let options: LaunchOptions.HostOptions?
        do { options = try LaunchOptions.HostOptions(start) } catch { throw UsageError(error.message) }
        guard let entries = options?.list.entries else { return nil }
        var places: [Int] = []
        var hosts: [String: Int] = [:]
        for entry in entries {
            guard let number = entry.places else {
                throw UsageError(
                    "--plan asks no host how many cores it has: say how many ranks it gets, as --hosts \(entry.name):8")
            }
            // A host may be named several times.
            if let host = hosts[entry.name] {
                places[host] += number
            } else {
                hosts[entry.name] = places.count
                places.append(number)
            }
        }
        guard places.reduce(0, +) <= Plan.mostRanks else {
            throw UsageError("--plan takes hosts with places for \(Plan.mostRanks) ranks at most")
        }
        return places
    }
}
