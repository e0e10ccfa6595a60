import Glibc

/// The memory that the system can still give this process.
enum AvailableMemory {
    /// The least length that is checked: a check takes some 50 microseconds.
    static let leastLooked = 1 << 26

    /// Whether a message of `count` bytes fits into memory.
    ///
    /// Receiving a larger one would only go on until the system ends this process.
    static func suffices(for count: Int) -> Bool {
        guard count >= leastLooked, let bytes else { return true }
        return count <= bytes
    }

    /// Main memory and swap that are not in use; nil where the system does not say.
    static var bytes: Int? {
        let file = open("/proc/meminfo", O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var buffer = [UInt8](repeating: 0, count: 8192)
        let count = read(file, &buffer, buffer.count)
        guard count > 0 else { return nil }
        var kilobytes: Int?
        for line in String(decoding: buffer.prefix(count), as: UTF8.self).split(separator: "\n") {
            guard line.hasPrefix("MemAvailable:") || line.hasPrefix("SwapFree:") else { continue }
            let words = line.split(separator: " ")
            guard words.count > 1, let number = Int(words[1]) else { continue }
            kilobytes = (kilobytes ?? 0) + number
        }
        return kilobytes.map { $0 * 1024 }
    }
}
