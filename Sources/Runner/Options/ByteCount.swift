/// An amount of memory, as people write it.
struct ByteCount {
    /// How many bytes it is.
    let bytes: Int

    /// Bytes, with a suffix that stands for a power of 1024 (`K` or `KiB`, `M`, `G`, `T` likewise), in either case.
    ///
    /// Nil where `text` is none, or less than one byte, or more than there can be.
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
