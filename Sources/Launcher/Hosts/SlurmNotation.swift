/// Slurm's notation for lists of nodes and of numbers.
package enum SlurmNotation {
    /// The largest number of nodes or numbers in a list.
    ///
    /// No real cluster has more.
    private static let limit = 1_000_000

    /// Parses a list such as `2(x3),1`: two tasks on each of three nodes, and one on the next.
    package static func tasks(perNode text: String) -> [Int]? {
        var sizes: [Int] = []
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            let words = part.split(separator: "(", omittingEmptySubsequences: false)
            guard let size = HostList.places(words[0]), words.count <= 2 else { return nil }
            var repeats = 1
            if words.count == 2 {
                guard words[1].hasPrefix("x"), words[1].hasSuffix(")"),
                    let number = Int(words[1].dropFirst().dropLast()), (1...limit).contains(number)
                else { return nil }
                repeats = number
            }
            guard sizes.count + repeats <= limit else { return nil }
            sizes += Array(repeating: size, count: repeats)
        }
        return sizes
    }

    /// Expands a list such as `n[01-03,07],login` to its nodes, in order; nil where the text is no such list.
    static func nodes(_ text: String) -> [String]? {
        var names: [String] = []
        for part in parts(of: text) {
            guard let expanded = expand(part), names.count + expanded.count <= limit else { return nil }
            names += expanded
        }
        return names.isEmpty || !names.allSatisfy({ HostList.isName($0[...]) }) ? nil : names
    }

    /// Splits at the commas outside of brackets.
    private static func parts(of text: String) -> [Substring] {
        var isInside = false
        return text.split(omittingEmptySubsequences: false) { character in
            if character == "[" { isInside = true }
            if character == "]" { isInside = false }
            return character == "," && !isInside
        }
    }

    /// Expands one part to its names.
    ///
    /// It may have several brackets, of which the last varies fastest.
    private static func expand(_ part: Substring) -> [String]? {
        // No cluster numbers its hosts by so many; each pair costs a call.
        guard part.utf8.count(where: { $0 == UInt8(ascii: "[") }) <= 16 else { return nil }
        guard let start = part.firstIndex(of: "[") else {
            return part.isEmpty || part.contains("]") ? nil : [String(part)]
        }
        guard let end = part[start...].firstIndex(of: "]"), let numbers = numbers(part[part.index(after: start)..<end])
        else { return nil }
        let rest = part[part.index(after: end)...]
        guard let endings = rest.isEmpty ? [""] : expand(rest), numbers.count * endings.count <= limit else {
            return nil
        }
        return numbers.flatMap { number in endings.map { "\(part[..<start])\(number)\($0)" } }
    }

    /// Returns the numbers of `01-03,07`, with their leading zeros.
    private static func numbers(_ text: Substring) -> [String]? {
        var all: [String] = []
        for range in text.split(separator: ",", omittingEmptySubsequences: false) {
            let ends = range.split(separator: "-", omittingEmptySubsequences: false)
            guard ends.count <= 2, ends.allSatisfy({ (1...18).contains($0.utf8.count) && $0.utf8.allSatisfy(isDigit) }),
                let first = Int(ends[0]), let last = Int(ends[ends.count - 1]), first <= last,
                last - first < limit - all.count
            else { return nil }
            let width = ends[0].utf8.count
            for number in first...last {
                let digits = String(number)
                all.append(String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits)
            }
        }
        return all
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }
}
