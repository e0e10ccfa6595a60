import DLP
import LuaHost

/// A short form of what `work` reaches on a rank, for comparison between all ranks: 32 bits for the whole and for
/// each of its parts.
struct ReachMark {
    private var bits: [UInt8] = []
    /// The largest number of parts for which it can be told which of them differs.
    private static let limit = 1000

    init(_ reach: Reach) {
        for digest in [reach.digest] + reach.parts.prefix(Self.limit).map(\.digest) {
            withUnsafeBytes(of: UInt32(truncatingIfNeeded: digest.low).littleEndian) { bits.append(contentsOf: $0) }
        }
    }

    /// The mark as one encoded value.
    var encoded: Bytes {
        // A flat byte string cannot exceed a limit of the encoder.
        (try? Value.bytes(bits).encoded()) ?? .empty
    }

    /// Returns the first part of this rank that differs from another rank's; nil where nothing differs, or where the
    /// other rank has not sent a mark.
    func difference(from other: Bytes, _ reach: Reach) -> Reach.Part? {
        guard case .bytes(let others)? = try? Value(decoding: other), others.count >= 4, others != bits else {
            return nil
        }
        guard others.count == bits.count else { return reach.parts.first }
        let places = stride(from: 4, to: bits.count, by: 4)
        let place = places.first { bits[$0..<$0 + 4] != others[$0..<$0 + 4] }
        return place.map { reach.parts[$0 / 4 - 1] } ?? reach.parts.first
    }
}

extension Reach {
    /// Warns where another rank reaches something else.
    ///
    /// - Parameter all: the marks that the ranks have sent, by rank.
    func warn(of all: [(mark: Bytes, host: String)]) {
        let mark = ReachMark(self)
        for rank in all.indices.dropFirst() {
            guard let part = mark.difference(from: all[rank].mark, self) else { continue }
            let place = part.place.isEmpty ? "" : " (\(part.place))"
            return Diagnostics.write(
                "\(part.name)\(place) is not on rank \(rank) (host \(all[rank].host)) what it is on rank 0, and work reaches it: what "
                    + "the journal keeps may depend on the rank that made it")
        }
    }
}
