/// The devices that the ranks of a host share, one each, as `--gpus` says.
public enum DeviceWish: Equatable, Sendable {
    /// All devices that there are.
    case auto
    /// This number of devices, numbered from 0.
    case count(Int)
    /// These devices, by their numbers or names.
    case list([String])

    /// Parses `auto`, a number, or a list with commas; nil for anything else.
    init?(_ text: String) {
        if text == "auto" {
            self = .auto
        } else if let count = Int(text) {
            guard (1...1024).contains(count) else { return nil }
            self = .count(count)
        } else {
            let names = text.split(separator: ",", omittingEmptySubsequences: false).map { String($0) }
            let isWord = { (name: String) in
                !name.isEmpty && name.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F }
            }
            guard names.count > 1, names.allSatisfy(isWord) else { return nil }
            self = .list(names)
        }
    }

    /// Returns the devices to choose from.
    ///
    /// - Parameters:
    ///   - given: the list that a variable already holds, by which a batch system says which devices belong to the
    ///     job.
    ///   - found: how many devices the host has.
    func devices(given: String?, found: Int) -> [String] {
        switch self {
        case .auto:
            given.map { $0.split(separator: ",").map { String($0) } } ?? (0..<found).map { "\($0)" }
        case .count(let count): (0..<count).map { "\($0)" }
        case .list(let names): names
        }
    }
}
