/// Walks through one item and everything inside it in the order of the bytes, at any depth, without recursion.
///
/// It checks the structure: strings of indefinite length consist of chunks of their own type, breaks stand only in valid
/// places, and each key has a value.
public struct CBORWalker {
    /// An item that contains others, and therefore has an end of its own.
    @frozen
    public enum Container: Sendable, Hashable {
        case array
        case map
        case tag(UInt64)
        /// A byte string of indefinite length.
        case byteChunks
        /// A text string of indefinite length.
        case textChunks
    }

    /// One step of the walk.
    @frozen
    public enum Step {
        /// An integer, simple value, floating-point number or string; `bytes` are those of the string.
        case leaf(CBORHead, bytes: UnsafeRawBufferPointer)
        /// A container begins.
        case open(Container)
        /// The innermost container ends.
        case close(Container)
    }

    private struct Level {
        var container: Container
        /// How many items are still to come; if a break ends the container, the negative number of items that have come.
        var pending: Int
        var isIndefinite: Bool
    }

    /// The current position of the walk.
    public private(set) var reader: CBORReader
    private var levels: [Level] = []
    private var isFinished = false

    /// A walk over the item that `reader` is at.
    public init(_ reader: CBORReader) { self.reader = reader }

    /// Whether the next item, if it is not the end of a map, is the key of an entry.
    public var isAtKey: Bool {
        guard let level = levels.last, level.container == .map else { return false }
        return level.pending & 1 == 0
    }

    /// The next step, or nil when the item is complete.
    ///
    /// - Throws: `CodecError` where the bytes are not a well-formed item.
    public mutating func next() throws(CodecError) -> Step? {
        if isFinished { return nil }
        if let level = levels.last, level.pending == 0, !level.isIndefinite { return close(level) }
        let start = reader.position
        let head = try reader.readHead()
        if head.isBreak { return try closeIndefinite(at: start) }
        try enter(head, at: start)
        switch head.major {
        case CBORMajor.bytes, CBORMajor.text:
            let isText = head.major == CBORMajor.text
            if head.isIndefinite { return open(isText ? .textChunks : .byteChunks, head, items: 0) }
            return leaf(head, try reader.readBytes(count: head.argument))
        case CBORMajor.array: return open(.array, head, items: Int(head.argument))
        case CBORMajor.map: return open(.map, head, items: Int(head.argument) * 2)
        case CBORMajor.tag: return open(.tag(head.argument), head, items: 1)
        default: return leaf(head, UnsafeRawBufferPointer(start: nil, count: 0))
        }
    }

    private mutating func leaf(_ head: CBORHead, _ bytes: UnsafeRawBufferPointer) -> Step {
        isFinished = levels.isEmpty
        return .leaf(head, bytes: bytes)
    }

    private mutating func open(_ container: Container, _ head: CBORHead, items: Int) -> Step {
        levels.append(Level(container: container, pending: items, isIndefinite: head.isIndefinite))
        return .open(container)
    }

    private mutating func close(_ level: Level) -> Step {
        levels.removeLast()
        isFinished = levels.isEmpty
        return .close(level.container)
    }

    private mutating func closeIndefinite(at start: Int) throws(CodecError) -> Step {
        guard let level = levels.last, level.isIndefinite else {
            throw CodecError("a break stands where no item of indefinite length is open", at: start)
        }
        if level.container == .map, level.pending & 1 != 0 {
            throw CodecError("a map ends between a key and its value", at: start)
        }
        return close(level)
    }

    /// Counts an item as part of the innermost container.
    private mutating func enter(_ head: CBORHead, at start: Int) throws(CodecError) {
        guard let container = levels.last?.container else { return }
        if container == .byteChunks || container == .textChunks {
            let major = container == .textChunks ? CBORMajor.text : CBORMajor.bytes
            guard head.major == major, !head.isIndefinite else {
                throw CodecError("a string of indefinite length has a chunk of another type", at: start)
            }
        }
        levels[levels.count - 1].pending -= 1
    }
}

extension CBORWalker {
    /// Reads the rest of a shared reference whose tag has been read: the number of the item that it refers to.
    ///
    /// - Throws: `CodecError` where the number is not that of one of the `count` shareable items that have begun so far.
    mutating func readReference(among count: Int) throws(CodecError) -> Int {
        let start = reader.position
        guard case .leaf(let head, _)? = try next(), head.major == CBORMajor.unsigned,
            head.argument < UInt64(count), case .close? = try next()
        else { throw CodecError("a shared reference does not name a value before it", at: start) }
        return Int(head.argument)
    }
}

extension CBORReader {
    /// Reads one whole item with everything inside it, and drops it.
    ///
    /// - Throws: `CodecError` where the bytes are not a well-formed item.
    public mutating func skip() throws(CodecError) {
        var walker = CBORWalker(self)
        while try walker.next() != nil {}
        self = walker.reader
    }
}
