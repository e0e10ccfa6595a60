// How `Encodable` values become a `Value`: structures and dictionaries as maps with text keys, arrays as arrays.

extension Value {
    /// Encodes `value` as a `Value`.
    ///
    /// - Throws: errors of its `encode(to:)`.
    public init(encoding value: some Encodable) throws {
        let slot = EncodingSlot()
        try slot.fill(with: value, at: [])
        self = slot.value
    }
}

/// The place of one value.
///
/// Containers are written to after they have been handed out, so their contents are shared by reference.
private final class EncodingSlot {
    private enum Content {
        case value(Value)
        case elements([EncodingSlot])
        case entries([(key: String, value: EncodingSlot)])
    }

    private var content = Content.value(.null)

    /// What has been encoded so far.
    var value: Value {
        switch content {
        case .value(let value): value
        case .elements(let elements): .array(elements.map(\.value))
        case .entries(let entries): .map(entries.map { (key: .text($0.key), value: $0.value.value) })
        }
    }

    var count: Int {
        guard case .elements(let elements) = content else { return 0 }
        return elements.count
    }

    func fill(with value: some Encodable, at path: [any CodingKey]) throws {
        if let simple = value as? any DirectlyCoded {
            content = .value(simple.coded)
        } else {
            try value.encode(to: ValueEncoder(slot: self, codingPath: path))
        }
    }

    /// Begins an array, unless the encoder has already done so.
    func beginElements() {
        guard case .elements = content else { return content = .elements([]) }
    }

    /// Begins a map, unless the encoder has already done so.
    func beginEntries() {
        guard case .entries = content else { return content = .entries([]) }
    }

    func addElement() -> EncodingSlot {
        let slot = EncodingSlot()
        guard case .elements(var elements) = content else { return slot }
        // With two owners, the array would be copied for each element.
        content = .value(.null)
        elements.append(slot)
        content = .elements(elements)
        return slot
    }

    func addEntry(_ key: String) -> EncodingSlot {
        let slot = EncodingSlot()
        guard case .entries(var entries) = content else { return slot }
        content = .value(.null)
        entries.append((key, slot))
        content = .entries(entries)
        return slot
    }
}

private struct ValueEncoder: Encoder, SingleValueEncodingContainer {
    let slot: EncodingSlot
    let codingPath: [any CodingKey]
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
        slot.beginEntries()
        return KeyedEncodingContainer(KeyedContainer<Key>(slot: slot, codingPath: codingPath))
    }

    func unkeyedContainer() -> any UnkeyedEncodingContainer {
        slot.beginElements()
        return UnkeyedContainer(slot: slot, codingPath: codingPath)
    }

    func singleValueContainer() -> any SingleValueEncodingContainer { self }

    func encodeNil() {}
    func encode<Content: Encodable>(_ value: Content) throws { try slot.fill(with: value, at: codingPath) }

    private struct KeyedContainer<Key: CodingKey>: KeyedEncodingContainerProtocol {
        let slot: EncodingSlot
        let codingPath: [any CodingKey]

        func encodeNil(forKey key: Key) { _ = slot.addEntry(key.stringValue) }

        func encode<Content: Encodable>(_ value: Content, forKey key: Key) throws {
            try slot.addEntry(key.stringValue).fill(with: value, at: codingPath + [key])
        }

        func nestedContainer<Nested: CodingKey>(
            keyedBy keyType: Nested.Type, forKey key: Key
        ) -> KeyedEncodingContainer<Nested> { encoder(for: key).container(keyedBy: keyType) }

        func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer {
            encoder(for: key).unkeyedContainer()
        }

        func superEncoder() -> any Encoder { encoder(for: PlaceKey.parent) }
        func superEncoder(forKey key: Key) -> any Encoder { encoder(for: key) }

        private func encoder(for key: any CodingKey) -> ValueEncoder {
            ValueEncoder(slot: slot.addEntry(key.stringValue), codingPath: codingPath + [key])
        }
    }

    private struct UnkeyedContainer: UnkeyedEncodingContainer {
        let slot: EncodingSlot
        let codingPath: [any CodingKey]
        var count: Int { slot.count }

        func encodeNil() { _ = slot.addElement() }

        func encode<Content: Encodable>(_ value: Content) throws {
            let path = codingPath + [PlaceKey(count)]
            try slot.addElement().fill(with: value, at: path)
        }

        func nestedContainer<Nested: CodingKey>(keyedBy keyType: Nested.Type) -> KeyedEncodingContainer<Nested> {
            next().container(keyedBy: keyType)
        }

        func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer { next().unkeyedContainer() }
        func superEncoder() -> any Encoder { next() }

        private func next() -> ValueEncoder {
            let path = codingPath + [PlaceKey(count)]
            return ValueEncoder(slot: slot.addElement(), codingPath: path)
        }
    }
}

/// The coding key, in the paths of errors, of an array's element, or of what a class inherits.
struct PlaceKey: CodingKey {
    static let parent = PlaceKey(stringValue: "super")

    let stringValue: String
    let intValue: Int?

    init(_ place: Int) {
        stringValue = "\(place)"
        intValue = place
    }

    init(stringValue: String) {
        self.stringValue = stringValue
        intValue = nil
    }

    init(intValue: Int) { self.init(intValue) }
}

/// A type that is converted to a `Value` directly, without an encoder.
protocol DirectlyCoded {
    var coded: Value { get }
    /// Returns nil if `value` is of another kind, or too large.
    init?(coded value: Value)
}

extension FixedWidthInteger where Self: DirectlyCoded {
    var coded: Value { Int64(exactly: self).map { .integer($0) } ?? .unsigned(UInt64(self)) }

    init?(coded value: Value) {
        switch value {
        case .integer(let integer): self.init(exactly: integer)
        case .unsigned(let integer): self.init(exactly: integer)
        default: return nil
        }
    }
}

extension BinaryFloatingPoint where Self: DirectlyCoded {
    var coded: Value { .double(Double(self)) }

    init?(coded value: Value) {
        switch value {
        case .double(let double): self.init(double)
        case .integer(let integer): self.init(integer)
        default: return nil
        }
    }
}

extension Int: DirectlyCoded {}
extension Int8: DirectlyCoded {}
extension Int16: DirectlyCoded {}
extension Int32: DirectlyCoded {}
extension Int64: DirectlyCoded {}
extension UInt: DirectlyCoded {}
extension UInt8: DirectlyCoded {}
extension UInt16: DirectlyCoded {}
extension UInt32: DirectlyCoded {}
extension UInt64: DirectlyCoded {}
extension Float: DirectlyCoded {}
extension Double: DirectlyCoded {}

extension Bool: DirectlyCoded {
    var coded: Value { .bool(self) }

    init?(coded value: Value) {
        guard case .bool(let value) = value else { return nil }
        self = value
    }
}

extension String: DirectlyCoded {
    var coded: Value { .text(self) }

    init?(coded value: Value) {
        guard case .text(let value) = value else { return nil }
        self = value
    }
}

extension Array: DirectlyCoded where Element == UInt8 {
    var coded: Value { .bytes(self) }

    init?(coded value: Value) {
        guard case .bytes(let value) = value else { return nil }
        self = value
    }
}
