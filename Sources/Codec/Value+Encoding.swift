extension Value {
    /// Encodes the value.
    ///
    /// - Throws: `CodecError` where the value is nested deeper than `maximumDepth`, or the number of a simple value is invalid.
    public func encoded() throws(CodecError) -> Bytes {
        var writer = ByteWriter()
        try encode(into: &writer)
        return writer.finish()
    }

    /// Adds the value's encoding to `writer`.
    ///
    /// - Throws: `CodecError` where the value is nested deeper than `maximumDepth`, or the number of a simple value is invalid;
    ///   `writer` then contains a part of the encoding.
    public func encode(into writer: inout ByteWriter) throws(CodecError) { try encode(into: &writer, depth: 0) }

    private func encode(into writer: inout ByteWriter, depth: Int) throws(CodecError) {
        switch self {
        case .null: writer.appendNull()
        case .bool(let value): writer.appendBool(value)
        case .integer(let value): writer.appendInteger(value)
        case .unsigned(let value): writer.appendHead(major: CBORMajor.unsigned, argument: value)
        case .negative(let value): writer.appendHead(major: CBORMajor.negative, argument: value)
        case .double(let value): writer.appendDouble(value)
        case .text(var text): text.withUTF8 { writer.appendText(UnsafeRawBufferPointer($0)) }
        case .bytes(let bytes): bytes.withUnsafeBytes { writer.appendByteString($0) }
        case .array(let elements):
            guard depth < Self.maximumDepth else { throw Self.tooDeep }
            writer.appendHead(major: CBORMajor.array, argument: UInt64(elements.count))
            for element in elements { try element.encode(into: &writer, depth: depth + 1) }
        case .map(let entries):
            guard depth < Self.maximumDepth else { throw Self.tooDeep }
            writer.appendHead(major: CBORMajor.map, argument: UInt64(entries.count))
            for (key, value) in entries {
                try key.encode(into: &writer, depth: depth + 1)
                try value.encode(into: &writer, depth: depth + 1)
            }
        case .tagged(let number, let content):
            guard depth < Self.maximumDepth else { throw Self.tooDeep }
            writer.appendTag(number)
            try content.encode(into: &writer, depth: depth + 1)
        case .simple(let number):
            guard !(24..<32).contains(number) else {
                throw CodecError("there is no simple value with the number \(number)")
            }
            writer.appendHead(major: CBORMajor.simple, argument: UInt64(number))
        }
    }
}
