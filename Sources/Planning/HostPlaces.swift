/// Which hosts ranks are on, in the order of the ranks.
public enum HostPlaces: Sendable, Equatable {
    /// Any number of hosts with this many ranks each.
    case each(Int)
    /// Hosts with these numbers of places, one filled after another.
    case listed([Int])

    /// How many ranks there is room for; nil: any number.
    public var room: Int? {
        switch self {
        case .each: nil
        case .listed(let places): places.reduce(0, +)
        }
    }

    /// How many hosts `ranks` ranks are on, and the most that are on one of them.
    public func spread(_ ranks: Int) -> (hosts: Int, most: Int) {
        switch self {
        case .each(let places): return ((ranks + places - 1) / max(1, places), min(ranks, places))
        case .listed(let places):
            var (rest, hosts, most) = (ranks, 0, 0)
            for place in places where rest > 0 {
                hosts += 1
                most = max(most, min(place, rest))
                rest -= place
            }
            return (hosts, most)
        }
    }
}
