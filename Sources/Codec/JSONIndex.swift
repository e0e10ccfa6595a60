/// The positions of the entries of an item's maps, sorted, and of its shareable items.
///
/// It is made in one pass over the item. The entries can then be written in their order without moving text that was already
/// written, however deep maps are nested.
struct JSONIndex: ~Copyable {
    /// An entry of a map.
    struct Entry {
        /// The key if it is an integer.
        ///
        /// Such entries come first, by value.
        var integer: CBORHead?
        /// The key's text, as a range of `keys`.
        var key: Range<Int>
        /// Where the value begins.
        var value: Int
    }

    /// A map.
    struct Map {
        /// Where it begins and ends.
        var bytes: Range<Int>
        /// Its entries, as a range of `entries`.
        var entries: Range<Int>
    }

    /// Whether keys that are not UTF-8 are kept unchanged.
    private let keepsBytes: Bool

    /// An empty index.
    init(keepsBytes: Bool) { self.keepsBytes = keepsBytes }

    /// The entries of all maps; those of one map are next to each other, sorted.
    private(set) var entries: [Entry] = []
    /// The positions at which the contents of the shareable items begin, ascending.
    private(set) var shareables: [Int] = []
    /// The maps in the order of their beginnings.
    private var maps: [Map] = []
    /// The texts of all keys.
    private var keys = ByteWriter()
    /// The entries of the open maps: those of the innermost map come last.
    private var pending: [Entry] = []

    /// Indexes the item in `encoded`, and replaces the previous index.
    mutating func build(_ encoded: UnsafeRawBufferPointer) throws(CodecError) {
        reset()
        var walker = CBORWalker(CBORReader(encoded))
        // For each open map its number, and how many entries were pending when it began.
        var open: [(map: Int, pending: Int)] = []
        while true {
            let start = walker.reader.position
            let isKey = walker.isAtKey
            guard let step = try walker.next() else { break }
            switch step {
            case .leaf(let head, let bytes):
                guard isKey else { continue }
                let key = try addKey(head, bytes, at: start)
                let integer = head.major <= CBORMajor.negative ? head : nil
                pending.append(Entry(integer: integer, key: key, value: walker.reader.position))
            case .close(.map):
                // The walker closes only what it has opened.
                guard let map = open.popLast() else { continue }
                maps[map.map].bytes = maps[map.map].bytes.lowerBound..<walker.reader.position
                try finishMap(map.map, firstPending: map.pending)
            case .close: continue
            case .open where isKey: throw CodecError(Self.wrongKey, at: start)
            case .open(.map):
                open.append((maps.count, pending.count))
                maps.append(Map(bytes: start..<start, entries: 0..<0))
            case .open(.tag(CBORTag.shareable)): shareables.append(walker.reader.position)
            case .open(.tag(CBORTag.sharedReference)): _ = try walker.readReference(among: shareables.count)
            case .open: continue
            }
        }
        try walker.reader.expectEnd()
    }

    /// Returns the map that begins at `start`.
    func map(at start: Int) -> Map { maps[Self.lastIndex(in: maps) { $0.bytes.lowerBound <= start }] }

    /// Returns the number of the shareable item whose content begins at `start`.
    func shareable(at start: Int) -> Int { Self.lastIndex(in: shareables) { $0 <= start } }

    /// Whether the key of `entry` is the string "n".
    mutating func keyIsN(_ entry: Entry) -> Bool {
        entry.integer == nil && entry.key.count == 1
            && keys.withUnsafeMutableBytes { $0[entry.key.lowerBound] == UInt8(ascii: "n") }
    }

    /// Adds an entry's key to `writer`, without quotes.
    mutating func appendKey(of entry: Entry, to writer: inout ByteWriter) {
        keys.withUnsafeMutableBytes { keys in
            writer.appendJSONCharacters(UnsafeRawBufferPointer(rebasing: keys[entry.key]))
        }
    }

    private mutating func reset() {
        entries.removeAll(keepingCapacity: true)
        shareables.removeAll(keepingCapacity: true)
        maps.removeAll(keepingCapacity: true)
        pending.removeAll(keepingCapacity: true)
        keys.truncate(to: 0)
    }

    private static let wrongKey =
        "a table with a key that is not a string, a number or a boolean cannot be written as JSON"

    /// Stores the JSON text of a key.
    private mutating func addKey(
        _ head: CBORHead, _ bytes: UnsafeRawBufferPointer, at start: Int
    ) throws(CodecError) -> Range<Int> {
        let first = keys.count
        switch head.major {
        case CBORMajor.unsigned, CBORMajor.negative: keys.appendDecimal(head)
        case CBORMajor.bytes where !keepsBytes: keys.appendBase64URL(bytes)
        case CBORMajor.bytes: keys.append(contentsOf: bytes)
        case CBORMajor.text:
            guard isValidUTF8(bytes) else { throw .invalidText(at: start) }
            keys.append(contentsOf: bytes)
        default:
            if let double = head.double {
                keys.append(utf8: double.description)
            } else if head.isSimple(CBORSimple.yes) || head.isSimple(CBORSimple.no) {
                keys.append(utf8: head.isSimple(CBORSimple.yes) ? "true" : "false")
            } else {
                throw CodecError(Self.wrongKey, at: start)
            }
        }
        return first..<keys.count
    }

    private mutating func finishMap(_ number: Int, firstPending: Int) throws(CodecError) {
        let first = entries.count
        entries.append(contentsOf: pending[firstPending...])
        pending.removeSubrange(firstPending...)
        maps[number].entries = first..<entries.count
        guard entries.count - first > 1 else { return }
        if let twice = Self.sort(&entries, from: first, keys: &keys) {
            throw CodecError(
                "a table has two keys that are both \"\(twice)\" in JSON", at: maps[number].bytes.lowerBound)
        }
    }

    /// Sorts the entries from `first` on: integer keys, then the others by the bytes of their text.
    ///
    /// - Returns: a text that two of the keys share; nil if there is none.
    private static func sort(_ entries: inout [Entry], from first: Int, keys: inout ByteWriter) -> String? {
        keys.withUnsafeMutableBytes { keys in
            let keys = UnsafeRawBufferPointer(keys)
            func text(_ entry: Entry) -> UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: keys[entry.key]) }
            func duplicate(in sorted: some Collection<Entry>) -> String? {
                zip(sorted, sorted.dropFirst())
                    .first { text($0).elementsEqual(text($1)) }
                    .map { String(decoding: text($0.0), as: UTF8.self) }
            }
            return entries.withUnsafeMutableBufferPointer { entries in
                var mine = UnsafeMutableBufferPointer(rebasing: entries[first...])
                mine.sort { precedes($0, $1, text: text) }
                let isMixed = mine.first?.integer != nil && mine.last?.integer == nil
                // An integer key may have the same text as a string key that comes much later in the order.
                return isMixed
                    ? duplicate(in: mine.sorted { text($0).lexicographicallyPrecedes(text($1)) })
                    : duplicate(in: mine)
            }
        }
    }

    private static func precedes(_ left: Entry, _ right: Entry, text: (Entry) -> UnsafeRawBufferPointer) -> Bool {
        switch (left.integer, right.integer) {
        case (let a?, let b?):
            if a.major != b.major { return a.major == CBORMajor.negative }
            return a.major == CBORMajor.negative ? a.argument > b.argument : a.argument < b.argument
        case (.some, nil): return true
        case (nil, .some): return false
        case (nil, nil): return text(left).lexicographicallyPrecedes(text(right))
        }
    }

    /// The index of the last element that meets a condition; all elements before it must meet the condition, too.
    private static func lastIndex<Element>(in elements: [Element], where condition: (Element) -> Bool) -> Int {
        var (low, high) = (0, elements.count)
        while low < high {
            let middle = (low + high) / 2
            if condition(elements[middle]) { low = middle + 1 } else { high = middle }
        }
        return low - 1
    }
}
