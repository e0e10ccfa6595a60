extension Value {
    /// Decodes the one value in `bytes`.
    ///
    /// - Throws: `CodecError` where the bytes are not exactly one well-formed item, where text is not UTF-8, and where
    ///   items are nested deeper than `maximumDepth`.
    public init(decoding bytes: Bytes) throws(CodecError) {
        self = try bytes.withUnsafeBytes { (buffer) throws(CodecError) -> Value in
            var reader = CBORReader(buffer)
            let value = try Value(reading: &reader)
            try reader.expectEnd()
            return value
        }
    }

    /// Decodes the next item.
    ///
    /// - Throws: `CodecError` where the bytes are not a well-formed item, where text is not UTF-8, and where items are
    ///   nested deeper than `maximumDepth`.
    public init(reading reader: inout CBORReader) throws(CodecError) {
        var walker = CBORWalker(reader)
        var open: [PartialValue] = []
        var complete: Value?
        while let step = try walker.next() {
            let value: Value
            switch step {
            case .open(let container):
                guard open.count < Self.maximumDepth else { throw Self.tooDeep }
                open.append(PartialValue(container: container))
                continue
            case .leaf(let head, let bytes):
                // A chunk is collected with the others. Text is checked for each chunk.
                if let last = open.indices.last, open[last].isString {
                    open[last].bytes += bytes
                    if head.major == CBORMajor.text { try Self.checkText(bytes, before: walker.reader) }
                    continue
                }
                value = try Self(leaf: head, bytes: bytes, before: walker.reader)
            case .close:
                // The walker closes only what it has opened.
                guard let last = open.popLast() else { continue }
                value = last.value
            }
            if open.isEmpty {
                complete = value
            } else {
                open[open.count - 1].items.append(value)
            }
        }
        guard let complete else { throw CodecError("the encoded value is empty", at: reader.position) }
        reader = walker.reader
        self = complete
    }

    private init(
        leaf head: CBORHead, bytes: UnsafeRawBufferPointer, before reader: CBORReader
    ) throws(CodecError) {
        switch head.major {
        case CBORMajor.unsigned, CBORMajor.negative:
            if let integer = head.integer {
                self = .integer(integer)
            } else {
                self = head.major == CBORMajor.unsigned ? .unsigned(head.argument) : .negative(head.argument)
            }
        case CBORMajor.bytes: self = .bytes(Array(bytes))
        case CBORMajor.text:
            try Self.checkText(bytes, before: reader)
            self = .text(String(decoding: bytes, as: UTF8.self))
        default:
            if let double = head.double {
                self = .double(double)
            } else if head.isSimple(CBORSimple.no) || head.isSimple(CBORSimple.yes) {
                self = .bool(head.isSimple(CBORSimple.yes))
            } else {
                self = head.isSimple(CBORSimple.null) ? .null : .simple(UInt8(truncatingIfNeeded: head.argument))
            }
        }
    }

    private static func checkText(_ bytes: UnsafeRawBufferPointer, before reader: CBORReader) throws(CodecError) {
        guard isValidUTF8(bytes) else { throw .invalidText(at: reader.position - bytes.count) }
    }
}

/// A container whose items are still being read.
private struct PartialValue {
    let container: CBORWalker.Container
    var items: [Value] = []
    var bytes: [UInt8] = []

    var isString: Bool { container == .byteChunks || container == .textChunks }

    var value: Value {
        switch container {
        case .array: .array(items)
        case .map: .map(stride(from: 0, to: items.count, by: 2).map { (key: items[$0], value: items[$0 + 1]) })
        case .tag(let number): .tagged(number, items[0])
        case .byteChunks: .bytes(bytes)
        case .textChunks: .text(String(decoding: bytes, as: UTF8.self))
        }
    }
}
