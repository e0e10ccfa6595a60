extension Value {
    /// Returns the `Content` that this value encodes, the reverse of `init(encoding:)`.
    ///
    /// - Throws: `DecodingError` where the value is not such a `Content`, or errors of the `init(from:)` of `Content`.
    public func decoded<Content: Decodable>(as type: Content.Type = Content.self) throws -> Content {
        try decoded(as: type, at: [])
    }

    fileprivate func decoded<Content: Decodable>(as type: Content.Type, at path: [any CodingKey]) throws -> Content {
        guard let simple = type as? any DirectlyCoded.Type else {
            return try Content(from: ValueDecoder(value: self, codingPath: path))
        }
        guard let content = simple.init(coded: self) as? Content else { throw mismatch(type, at: path) }
        return content
    }

    fileprivate func mismatch(_ type: any Any.Type, at path: [any CodingKey]) -> DecodingError {
        .typeMismatch(type, .init(codingPath: path, debugDescription: "the value is \(kind)"))
    }

    private var kind: String {
        switch self {
        case .null: "null"
        case .bool: "a boolean"
        case .integer, .unsigned, .negative: "an integer, perhaps too large"
        case .double: "a floating-point number"
        case .text: "a text"
        case .bytes: "bytes"
        case .array: "an array"
        case .map: "a map"
        case .tagged: "a tagged value"
        case .simple: "a simple value"
        }
    }
}

private struct ValueDecoder: Decoder, SingleValueDecodingContainer {
    let value: Value
    let codingPath: [any CodingKey]
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
        guard case .map(let entries) = value else { throw value.mismatch([String: Value].self, at: codingPath) }
        var values: [String: Value] = [:]
        values.reserveCapacity(entries.count)
        for entry in entries {
            if case .text(let key) = entry.key { values[key] = entry.value }
        }
        return KeyedDecodingContainer(KeyedContainer<Key>(values: values, codingPath: codingPath))
    }

    func unkeyedContainer() throws -> any UnkeyedDecodingContainer {
        guard case .array(let elements) = value else { throw value.mismatch([Value].self, at: codingPath) }
        return UnkeyedContainer(elements: elements, codingPath: codingPath)
    }

    func singleValueContainer() -> any SingleValueDecodingContainer { self }

    func decodeNil() -> Bool { value == .null }
    func decode<Content: Decodable>(_ type: Content.Type) throws -> Content {
        try value.decoded(as: type, at: codingPath)
    }

    private struct KeyedContainer<Key: CodingKey>: KeyedDecodingContainerProtocol {
        let values: [String: Value]
        let codingPath: [any CodingKey]
        var allKeys: [Key] { values.keys.compactMap { Key(stringValue: $0) } }

        func contains(_ key: Key) -> Bool { values[key.stringValue] != nil }
        func decodeNil(forKey key: Key) throws -> Bool { try decoder(for: key).decodeNil() }

        func decode<Content: Decodable>(_ type: Content.Type, forKey key: Key) throws -> Content {
            try decoder(for: key).decode(type)
        }

        func nestedContainer<Nested: CodingKey>(
            keyedBy type: Nested.Type, forKey key: Key
        ) throws -> KeyedDecodingContainer<Nested> { try decoder(for: key).container(keyedBy: type) }

        func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer {
            try decoder(for: key).unkeyedContainer()
        }

        func superDecoder() throws -> any Decoder { try decoder(for: PlaceKey.parent) }
        func superDecoder(forKey key: Key) throws -> any Decoder { try decoder(for: key) }

        private func decoder(for key: any CodingKey) throws -> ValueDecoder {
            guard let value = values[key.stringValue] else {
                throw DecodingError.keyNotFound(
                    key, .init(codingPath: codingPath, debugDescription: "the map has no \(key.stringValue)"))
            }
            return ValueDecoder(value: value, codingPath: codingPath + [key])
        }
    }

    private struct UnkeyedContainer: UnkeyedDecodingContainer {
        let elements: [Value]
        let codingPath: [any CodingKey]
        var currentIndex = 0
        var count: Int? { elements.count }
        var isAtEnd: Bool { currentIndex == elements.count }

        init(elements: [Value], codingPath: [any CodingKey]) {
            self.elements = elements
            self.codingPath = codingPath
        }

        mutating func decodeNil() throws -> Bool {
            guard try next().decodeNil() else { return false }
            currentIndex += 1
            return true
        }

        mutating func decode<Content: Decodable>(_ type: Content.Type) throws -> Content {
            try take { try $0.decode(type) }
        }

        mutating func nestedContainer<Nested: CodingKey>(
            keyedBy type: Nested.Type
        ) throws -> KeyedDecodingContainer<Nested> { try take { try $0.container(keyedBy: type) } }

        mutating func nestedUnkeyedContainer() throws -> any UnkeyedDecodingContainer {
            try take { try $0.unkeyedContainer() }
        }

        mutating func superDecoder() throws -> any Decoder { try take { $0 } }

        /// Decodes the next element.
        ///
        /// If that fails, the element remains the next one.
        private mutating func take<Content>(_ decode: (ValueDecoder) throws -> Content) throws -> Content {
            let content = try decode(next())
            currentIndex += 1
            return content
        }

        private func next() throws -> ValueDecoder {
            let path = codingPath + [PlaceKey(currentIndex)]
            guard !isAtEnd else {
                throw DecodingError.valueNotFound(
                    Value.self, .init(codingPath: path, debugDescription: "the array has ended"))
            }
            return ValueDecoder(value: elements[currentIndex], codingPath: path)
        }
    }
}
