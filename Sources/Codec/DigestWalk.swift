/// One pass over an encoded item that computes its digest from the digests of its parts.
struct DigestWalk {
    /// The kind of content of a digest.
    ///
    /// Each has its own seed, so that the same content of different kinds has different digests.
    enum Domain: UInt64 {
        case integer = 1
        case double, simple, text, bytes, textChunks, byteChunks, array, map, entry, tag, list, cyclic
    }

    /// An item that is being read.
    struct Level {
        let container: CBORWalker.Container
        var mixer: DigestMixer
        var count = 0
        /// Only in maps: the key whose value comes next, and the sum of the entries' digests, which does not depend on
        /// their order.
        var key: Digest?
        var sum = Digest(high: 0, low: 0)
        /// Only in shareable items: the item's number.
        var number = 0

        init(_ container: CBORWalker.Container) {
            self.container = container
            let domain: Domain =
                switch container {
                case .array: .array
                case .map: .map
                case .tag: .tag
                case .byteChunks: .byteChunks
                case .textChunks: .textChunks
                }
            mixer = DigestMixer(seed: domain.rawValue)
        }
    }

    /// Stands for a digest that is not known yet.
    private static let unknown = Digest(high: 0, low: 0)

    /// The digests of the shareable items, by number; nil while an item is not complete.
    private(set) var shared: [Digest?] = []
    /// Whether an item refers to one that contains it.
    private(set) var hasCycle = false
    /// The digests used for references to shareable items; if empty, their own digests are used.
    private var colors: [Digest] = []
    private var levels: [Level] = []

    /// Computes the digest of the whole item.
    mutating func digest(of encoded: UnsafeRawBufferPointer) throws(CodecError) -> Digest {
        var walker = CBORWalker(CBORReader(encoded))
        var whole = Self.unknown
        while let step = try walker.next() {
            let digest: Digest
            switch step {
            case .leaf(let head, let bytes): digest = Self.digest(of: head, bytes)
            case .open(.tag(CBORTag.sharedReference)):
                digest = resolve(try walker.readReference(among: shared.count))
            case .open(let container):
                open(container)
                continue
            case .close:
                // The walker closes only what it has opened.
                guard let level = levels.popLast() else { continue }
                digest = close(level)
            }
            if levels.isEmpty { whole = digest } else { Self.add(digest, to: &levels[levels.count - 1]) }
        }
        try walker.reader.expectEnd()
        return whole
    }

    /// Computes the digest of an item that contains a reference to itself, and has `shareables` shareable items.
    ///
    /// The place where a cycle is entered, and therefore which value refers to which, depends on the order of maps'
    /// entries. The shareable items are therefore treated as the nodes of a graph. As in the colour refinement of
    /// Weisfeiler and Leman, each node gets a new colour from its content and its neighbours' colours, four times. The
    /// colours of all nodes, in no order, make the digest. It covers all content; only relations between nodes far from
    /// each other may be missed.
    static func digestOfCycle(in encoded: UnsafeRawBufferPointer, shareables: Int) throws(CodecError) -> Digest {
        var colors = [Digest](repeating: unknown, count: shareables)
        var whole = unknown
        for _ in 1...4 {
            var walk = DigestWalk()
            walk.colors = colors
            whole = try walk.digest(of: encoded)
            colors = walk.shared.map { $0 ?? unknown }
        }
        var mixer = DigestMixer(seed: Domain.cyclic.rawValue)
        mixer.add(whole)
        mixer.add(colors.reduce(unknown, sum))
        return mixer.finish(count: shareables)
    }

    @inline(__always)
    private static func digest(of head: CBORHead, _ bytes: UnsafeRawBufferPointer) -> Digest {
        switch head.major {
        case CBORMajor.unsigned, CBORMajor.negative:
            return digest(.integer, head.argument, UInt64(head.major))
        case CBORMajor.text, CBORMajor.bytes: return digest(head.major == CBORMajor.text ? .text : .bytes, bytes)
        default:
            if let double = head.double { return digest(.double, double.bitPattern, 0) }
            return digest(.simple, head.argument, 0)
        }
    }

    @inline(__always)
    static func digest(_ domain: Domain, _ bytes: UnsafeRawBufferPointer) -> Digest {
        var mixer = DigestMixer(seed: domain.rawValue)
        mixer.add(bytes)
        return mixer.finish(count: bytes.count)
    }

    @inline(__always)
    static func digest(_ domain: Domain, _ low: UInt64, _ high: UInt64) -> Digest {
        var mixer = DigestMixer(seed: domain.rawValue)
        mixer.add(low, high)
        return mixer.finish(count: 1)
    }

    private static func sum(_ left: Digest, _ right: Digest) -> Digest {
        Digest(high: left.high &+ right.high, low: left.low &+ right.low)
    }

    private mutating func resolve(_ number: Int) -> Digest {
        if !colors.isEmpty { return colors[number] }
        if let digest = shared[number] { return digest }
        hasCycle = true
        return Self.unknown
    }

    private mutating func open(_ container: CBORWalker.Container) {
        var level = Level(container)
        if container == .tag(CBORTag.shareable) {
            level.number = shared.count
            shared.append(nil)
        } else if case .tag(let number) = container {
            level.mixer.add(number, 0)
        }
        levels.append(level)
    }

    private mutating func close(_ level: Level) -> Digest {
        guard level.container == .tag(CBORTag.shareable) else { return Self.finish(level) }
        // The tag's only item was kept as `sum`, so that the tag itself does not change the digest.
        shared[level.number] = level.sum
        return colors.isEmpty ? level.sum : colors[level.number]
    }

    /// Returns the digest of the contents of an item that is not shareable.
    static func finish(_ level: Level) -> Digest {
        var mixer = level.mixer
        if level.container == .map { mixer.add(level.sum) }
        return mixer.finish(count: level.count)
    }

    /// Adds the next part of an item.
    static func add(_ digest: Digest, to level: inout Level) {
        level.count += 1
        switch level.container {
        case .map:
            guard let key = level.key else {
                level.key = digest
                return
            }
            var mixer = DigestMixer(seed: Domain.entry.rawValue)
            mixer.add(key)
            mixer.add(digest)
            level.sum = sum(level.sum, mixer.finish(count: 2))
            level.key = nil
        case .tag(CBORTag.shareable): level.sum = digest
        default: level.mixer.add(digest)
        }
    }
}
