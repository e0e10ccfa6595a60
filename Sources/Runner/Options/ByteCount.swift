/// An amount of memory, as people write it.
struct ByteCount {
    /// The number of bytes.
    let bytes: Int

    /// Parses a number of bytes with an optional suffix for a power of 1024 (`K` or `KiB`, likewise `M`, `G`, `T`),
    /// in upper or lower case.
    ///
    /// Nil where `text` is not such an amount, is less than one byte, or is too large.
    init?(_ text: String) {
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        let suffix = text.dropFirst(digits.count).uppercased()
        let suffixes = [["", "B"], ["K", "KIB"], ["M", "MIB"], ["G", "GIB"], ["T", "TIB"]]
        guard let number = Int(digits), let power = suffixes.firstIndex(where: { $0.contains(suffix) }) else {
            return nil
        }
        let (bytes, isTooLarge) = number.multipliedReportingOverflow(by: 1 << (10 * power))
        guard bytes > 0, !isTooLarge else { return nil }
        self.bytes = bytes
    }
}
