/// Writes encoded values as JSON text, the same text in every run.
///
/// The rules are those of RFC 8949, section 6.1, adapted to Lua. Not-a-number, infinities and undefined become null.
/// Floating-point numbers keep a point or an exponent, so that they differ from integers. A string that is not UTF-8 becomes
/// base64url without padding. Keys of maps that are numbers or booleans become text. Entries are sorted, integer keys first,
/// because Lua has no stable order. Shared values are written out in each place that refers to them. Typed arrays become
/// arrays; other tags are left out.
///
/// A renderer reuses its working memory for the next value.
public struct JSONRenderer: ~Copyable {
    /// The reader of the text.
    public enum Reader: Sendable {
        /// Any JSON reader: the text is JSON by RFC 8259.
        case anybody
        /// A program that reads what Python's module `json` reads. Nothing may be lost: not-a-number and infinities are
        /// written as `NaN`, `Infinity` and `-Infinity`, strings that are not UTF-8 stay unchanged, and a table whose keys
        /// are some of 1 ... n, and `"n"`, becomes an array with nulls.
        case program
    }

    private enum Level {
        /// `pending` elements are still to come; nil: until a break.
        case array(pending: UInt64?, isFirst: Bool)
        /// The entries from `next` up to `last` are still to come; the map ends at `end`.
        case map(first: Int, next: Int, last: Int, end: Int)
        /// The same for a map that is written as an array of `count` elements; `done` of them have been written.
        case holes(next: Int, last: Int, end: Int, done: UInt64, count: UInt64)
        /// The content of a shareable item.
        case shareable(number: Int)
        /// A value that is written in place of a reference; after it, reading goes on at `back`.
        case reference(back: Int)
    }

    /// How deep values may be nested in JSON text: the limit of jq, one of the most tolerant readers.
    public static let maximumDepth = 10_000

    private var index: JSONIndex
    private var levels: [Level] = []
    /// For each shareable item, by number, whether it is being written.
    private var isActive: [Bool] = []
    private var reader = Self.nothing
    /// How many references have been followed.
    private var expansions = 0

    private let allowance: Int
    private let isForProgram: Bool

    /// A renderer whose texts may have at most `allowance` bytes more than 100 times the size of the encoded value.
    ///
    /// Only shared values that are written out many times, inside each other, can make a text longer than that.
    public init(for reader: Reader = .anybody, allowance: Int = 64 << 20) {
        self.allowance = allowance
        isForProgram = reader == .program
        index = JSONIndex(keepsBytes: isForProgram)
    }

    /// Adds the JSON text of the one item in `encoded`.
    ///
    /// - Throws: `CodecError` where the bytes are not exactly one well-formed item; and where the value has no JSON text, because
    ///   it contains itself, has a table as a key or two keys with the same text, is nested deeper than `maximumDepth`, or
    ///   would have too long a text. `writer` is then unchanged.
    public mutating func render(
        _ encoded: UnsafeRawBufferPointer, into writer: inout ByteWriter
    ) throws(CodecError) {
        let start = writer.count
        // The memory of `encoded` may not be used after this call.
        defer { reader = Self.nothing }
        do throws(CodecError) {
            if try renderNumber(encoded, into: &writer) { return }
            try index.build(encoded)
            levels.removeAll(keepingCapacity: true)
            isActive.removeAll(keepingCapacity: true)
            isActive.append(contentsOf: repeatElement(false, count: index.shareables.count))
            expansions = 0
            reader = CBORReader(encoded)
            // Following a reference counts as one byte, because a reference to a reference writes nothing.
            let limit = start + allowance + 100 * encoded.count
            repeat {
                try writeItem(into: &writer)
                guard writer.count + expansions <= limit else { throw Self.tooLarge }
            } while try goToNextItem(&writer)
        } catch {
            writer.truncate(to: start)
            throw error
        }
    }

    /// Adds the text of the one item in `encoded` if it is a number, a boolean or null, which need no index; returns false
    /// for anything else.
    private func renderNumber(
        _ encoded: UnsafeRawBufferPointer, into writer: inout ByteWriter
    ) throws(CodecError) -> Bool {
        var reader = CBORReader(encoded)
        let head = try reader.readHead()
        guard reader.remaining == 0, head.major <= CBORMajor.negative || head.major == CBORMajor.simple, !head.isBreak
        else { return false }
        writeNumber(head, into: &writer)
        return true
    }

    private func writeNumber(_ head: CBORHead, into writer: inout ByteWriter) {
        if head.major <= CBORMajor.negative { return writer.appendDecimal(head) }
        if let double = head.double { return writer.appendJSONNumber(double, named: isForProgram) }
        let isBool = head.isSimple(CBORSimple.yes) || head.isSimple(CBORSimple.no)
        writer.append(utf8: !isBool ? "null" : head.isSimple(CBORSimple.yes) ? "true" : "false")
    }

    private static var nothing: CBORReader { CBORReader(UnsafeRawBufferPointer(start: nil, count: 0)) }
    private static let tooLarge = CodecError(
        "a value that is shared in too many places cannot be written as JSON: the text would be too long")
    private static let tooDeep = CodecError(
        "a value nested more than \(maximumDepth) levels deep cannot be written as JSON")
    private static let cycle = CodecError("a value that contains itself cannot be written as JSON")

    /// Writes the item at the reader's position, or the beginning of an array or map.
    private mutating func writeItem(into writer: inout ByteWriter) throws(CodecError) {
        while true {
            let start = reader.position
            let head = try reader.readHead()
            switch head.major {
            case CBORMajor.bytes, CBORMajor.text: return try writeString(head, into: &writer)
            case CBORMajor.array:
                writer.append(UInt8(ascii: "["))
                return try push(.array(pending: head.isIndefinite ? nil : head.argument, isFirst: true))
            case CBORMajor.map:
                writer.append(UInt8(ascii: "{"))
                let map = index.map(at: start)
                let (first, last) = (map.entries.lowerBound, map.entries.upperBound)
                if isForProgram, let count = try holeyCount(first, last) {
                    writer.truncate(to: writer.count - 1)
                    writer.append(UInt8(ascii: "["))
                    return try push(
                        .holes(next: first, last: last - 1, end: map.bytes.upperBound, done: 0, count: count))
                }
                return try push(.map(first: first, next: first, last: last, end: map.bytes.upperBound))
            case CBORMajor.tag:
                if try writeTypedArray(tag: head.argument, into: &writer) { return }
                try enterTag(head.argument)
            default: return writeNumber(head, into: &writer)
            }
        }
    }

    /// The length of the array that a map with these entries stands for, in which elements may be missing; nil if it is none.
    private mutating func holeyCount(_ first: Int, _ last: Int) throws(CodecError) -> UInt64? {
        guard last > first, index.keyIsN(index.entries[last - 1]) else { return nil }
        var inside = reader
        inside.seek(to: index.entries[last - 1].value)
        let head = try inside.readHead()
        // An array that consists almost only of holes is better written as a table.
        guard head.major == CBORMajor.unsigned, head.argument <= 1000 + 100 * UInt64(last - first) else { return nil }
        guard last - first > 1 else { return head.argument }
        guard let low = index.entries[first].integer, let high = index.entries[last - 2].integer,
            low.major == CBORMajor.unsigned, low.argument > 0, high.argument <= head.argument
        else { return nil }
        return head.argument
    }

    /// Continues at the item inside a tag, or at the item that a reference refers to.
    private mutating func enterTag(_ tag: UInt64) throws(CodecError) {
        var number = 0
        switch tag {
        case CBORTag.shareable: number = index.shareable(at: reader.position)
        case CBORTag.sharedReference:
            number = Int(try reader.readHead().argument)
            guard !isActive[number] else { throw Self.cycle }
            expansions += 1
            try push(.reference(back: reader.position))
            reader.seek(to: index.shareables[number])
        default: return
        }
        isActive[number] = true
        try push(.shareable(number: number))
    }

    private mutating func push(_ level: Level) throws(CodecError) {
        guard levels.count < Self.maximumDepth else { throw Self.tooDeep }
        levels.append(level)
    }

    /// Ends all complete containers, and continues at the next item; returns false if there is none.
    private mutating func goToNextItem(_ writer: inout ByteWriter) throws(CodecError) -> Bool {
        while let level = levels.popLast() {
            switch level {
            case .array(let pending, let isFirst):
                if pending == 0 || (pending == nil && reader.skipBreak()) {
                    writer.append(UInt8(ascii: "]"))
                    continue
                }
                if !isFirst { writer.append(UInt8(ascii: ",")) }
                levels.append(.array(pending: pending.map { $0 - 1 }, isFirst: false))
                return true
            case .map(let first, let next, let last, let end):
                guard next < last else {
                    writer.append(UInt8(ascii: "}"))
                    reader.seek(to: end)
                    continue
                }
                writer.append(utf8: next == first ? "\"" : ",\"")
                let entry = index.entries[next]
                index.appendKey(of: entry, to: &writer)
                writer.append(utf8: "\":")
                reader.seek(to: entry.value)
                levels.append(.map(first: first, next: next + 1, last: last, end: end))
                return true
            case .holes(var next, let last, let end, var done, let count):
                if done > 0, done < count { writer.append(UInt8(ascii: ",")) }
                while done < count, next == last || index.entries[next].integer?.argument != done + 1 {
                    done += 1
                    writer.append(utf8: done < count ? "null," : "null")
                }
                guard done < count else {
                    writer.append(UInt8(ascii: "]"))
                    reader.seek(to: end)
                    continue
                }
                reader.seek(to: index.entries[next].value)
                next += 1
                levels.append(.holes(next: next, last: last, end: end, done: done + 1, count: count))
                return true
            case .shareable(let number): isActive[number] = false
            case .reference(let back): reader.seek(to: back)
            }
        }
        return false
    }

    private mutating func writeString(_ head: CBORHead, into writer: inout ByteWriter) throws(CodecError) {
        let isText = head.major == CBORMajor.text
        writer.append(UInt8(ascii: "\""))
        if head.isIndefinite {
            // A chunk may end within a group of three bytes, which base64url encodes together. So the chunks are first put
            // together.
            var whole = ByteWriter()
            while !reader.skipBreak() {
                let chunk = try reader.readBytes(count: try reader.readHead().argument)
                if isText { try writeText(chunk, into: &writer) } else { whole.append(contentsOf: chunk) }
            }
            whole.withUnsafeMutableBytes { writeBytes(UnsafeRawBufferPointer($0), into: &writer) }
        } else {
            let bytes = try reader.readBytes(count: head.argument)
            if isText { try writeText(bytes, into: &writer) } else { writeBytes(bytes, into: &writer) }
        }
        writer.append(UInt8(ascii: "\""))
    }

    private func writeBytes(_ bytes: UnsafeRawBufferPointer, into writer: inout ByteWriter) {
        if isForProgram { writer.appendJSONCharacters(bytes) } else { writer.appendBase64URL(bytes) }
    }

    private func writeText(_ bytes: UnsafeRawBufferPointer, into writer: inout ByteWriter) throws(CodecError) {
        guard isValidUTF8(bytes) else { throw .invalidText(at: reader.position - bytes.count) }
        writer.appendJSONCharacters(bytes)
    }

    /// Writes the numbers of a typed array.
    ///
    /// Returns false, without reading anything, if the item inside the tag is none.
    private mutating func writeTypedArray(tag: UInt64, into writer: inout ByteWriter) throws(CodecError) -> Bool {
        guard TypedArray.isTypedArray(tag: tag) else { return false }
        var inside = reader
        let head = try inside.readHead()
        guard head.major == CBORMajor.bytes, !head.isIndefinite,
            let numbers = try TypedArray(tag: tag, bytes: try inside.readBytes(count: head.argument))
        else { return false }
        reader = inside
        writer.append(UInt8(ascii: "["))
        for position in 0..<numbers.count {
            if position > 0 { writer.append(UInt8(ascii: ",")) }
            if numbers.isFloat {
                writer.appendJSONNumber(numbers.double(at: position), named: isForProgram)
            } else {
                writer.appendDecimal(numbers.integer(at: position))
            }
        }
        writer.append(UInt8(ascii: "]"))
        return true
    }
}
