import AME
import DLP
import Glibc

/// The environment of the ranks: the launcher's own, the user's exports, and the variables that tell a rank its
/// place.
struct RankEnvironment {
    /// Entries `NAME=VALUE`, as bytes: not everything in an environment is UTF-8.
    private let common: [[UInt8]]

    /// Variables of an outer job, if there is one, are replaced, not passed on.
    init(
        inherited: [[UInt8]], exports: [(name: SystemString, value: SystemString?)],
        rendezvous: [(name: String, value: String)],
        size: Int, columns: Int
    ) {
        var own = rendezvous + [(AMEVariable.size, String(size))]
        if columns > 0 { own.append((AMEVariable.columns, String(columns))) }
        let set = exports.compactMap { name, value in value.map { (name: name, value: $0) } }
        var replaced = Set(AMEVariable.all.map { Array($0.utf8) })
        var entries: [[UInt8]] = []
        // From the last to the first, because the last of several values counts.
        for (name, value) in set.reversed() where replaced.insert(name.bytes).inserted {
            entries.append(name.bytes + [UInt8(ascii: "=")] + value.bytes)
        }
        entries += inherited.filter { entry in !replaced.contains(Array(entry.prefix { $0 != UInt8(ascii: "=") })) }
        common = entries + own.map { Array("\($0.name)=\($0.value)".utf8) }
    }

    /// Returns the entries for `rank`.
    ///
    /// Where there are several hosts, `place` is its place on its host. Rank 0 also inherits descriptors.
    func entries(
        rank: Int, place: (rank: Int, size: Int)? = nil, listeners: [Int32], control: Int32
    ) -> [[UInt8]] {
        var own = ["\(AMEVariable.rank)=\(rank)"]
        if let place {
            own += ["\(AMEVariable.localRank)=\(place.rank)", "\(AMEVariable.localSize)=\(place.size)"]
        }
        if rank == 0 {
            let numbers = listeners.map(String.init).joined(separator: ",")
            own += ["\(AMEVariable.listener)=\(numbers)", "\(AMEVariable.control)=\(control)"]
        }
        return common + own.map { Array($0.utf8) }
    }
}

/// Returns this process's environment as entries `NAME=VALUE`.
func ownEnvironment() -> [[UInt8]] {
    var entries: [[UInt8]] = []
    var next = environ
    while let entry = next.pointee {
        entries.append(Array(UnsafeRawBufferPointer(start: entry, count: strlen(entry))))
        next += 1
    }
    return entries
}
