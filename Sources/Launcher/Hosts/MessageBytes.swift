/// Writes the fields of a message one after the other: numbers as 8 bytes, little-endian, and byte strings after
/// their length.
struct MessageWriter {
    private(set) var bytes: [UInt8] = []

    mutating func put(_ number: Int) {
        withUnsafeBytes(of: Int64(number).littleEndian) { bytes.append(contentsOf: $0) }
    }

    mutating func put(_ truth: Bool) { put(truth ? 1 : 0) }

    mutating func put(_ field: [UInt8]) {
        put(field.count)
        bytes.append(contentsOf: field)
    }

    mutating func put(_ text: String) { put(Array(text.utf8)) }

    mutating func put<Element>(_ list: [Element], _ put: (inout Self, Element) -> Void) {
        self.put(list.count)
        for element in list { put(&self, element) }
    }
}

/// A malformed message.
struct MessageError: Error {}

/// Reads the fields of a message.
///
/// It trusts no count before it has checked that there are enough bytes.
struct MessageReader {
    private var rest: ArraySlice<UInt8>

    init(_ bytes: ArraySlice<UInt8>) { rest = bytes }

    mutating func number() throws(MessageError) -> Int {
        guard rest.count >= 8 else { throw MessageError() }
        var bits: UInt64 = 0
        for byte in rest.prefix(8).reversed() { bits = bits << 8 | UInt64(byte) }
        rest = rest.dropFirst(8)
        return Int(Int64(bitPattern: bits))
    }

    mutating func number(in range: ClosedRange<Int>) throws(MessageError) -> Int {
        let number = try number()
        guard range.contains(number) else { throw MessageError() }
        return number
    }

    mutating func truth() throws(MessageError) -> Bool { try number(in: 0...1) == 1 }

    mutating func field() throws(MessageError) -> [UInt8] {
        let count = try number()
        guard (0...rest.count).contains(count) else { throw MessageError() }
        defer { rest = rest.dropFirst(count) }
        return Array(rest.prefix(count))
    }

    mutating func text() throws(MessageError) -> String {
        guard let text = String(validating: try field(), as: UTF8.self) else { throw MessageError() }
        return text
    }

    mutating func list<Element>(
        _ element: (inout Self) throws(MessageError) -> Element
    ) throws(MessageError) -> [Element] {
        // Each element has at least 8 bytes.
        let count = try number()
        guard (0...rest.count / 8).contains(count) else { throw MessageError() }
        var list: [Element] = []
        for _ in 0..<count { list.append(try element(&self)) }
        return list
    }

    /// Skips what another version adds.
    mutating func skipRest() { rest = [] }

    /// Checks at the end that nothing is left.
    func finish() throws(MessageError) { if !rest.isEmpty { throw MessageError() } }
}
