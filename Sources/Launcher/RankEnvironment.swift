import AME
import Glibc

/// The environment of the ranks: the launcher's own, what the user exports, and what tells a rank its place.
struct RankEnvironment {
    private let common: [String]

    /// An outer job's variables, if there is one, are replaced, not passed on.
    init(
        inherited: [String], exports: [(name: String, value: String?)], rendezvous: [(name: String, value: String)],
        size: Int, columns: Int
    ) {
        var own = rendezvous + [(AMEVariable.size, String(size))]
        if columns > 0 { own.append((AMEVariable.columns, String(columns))) }
        let set = exports.compactMap { name, value in value.map { (name: name, value: $0) } }
        var replaced = Set(AMEVariable.all)
        var entries: [String] = []
        // From the last to the first: the last of several values counts.
        for (name, value) in set.reversed() where replaced.insert(name).inserted { entries.append("\(name)=\(value)") }
        entries += inherited.filter { entry in !replaced.contains(String(entry.prefix { $0 != "=" })) }
        common = entries + own.map { "\($0.name)=\($0.value)" }
    }

    /// The entries for `rank`, where rank 0 also inherits descriptors.
    func entries(rank: Int, listener: Int32, control: Int32) -> [String] {
        var entries = common + ["\(AMEVariable.rank)=\(rank)"]
        if rank == 0 {
            entries.append("\(AMEVariable.listener)=\(listener)")
            entries.append("\(AMEVariable.control)=\(control)")
        }
        return entries
    }
}

/// This process's environment, as `NAME=VALUE`.
func ownEnvironment() -> [String] {
    var entries: [String] = []
    var next = environ
    while let entry = next.pointee {
        entries.append(String(cString: entry))
        next += 1
    }
    return entries
}
