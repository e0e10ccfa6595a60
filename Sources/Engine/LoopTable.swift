import Codec

/// A table with a value for each loop, by the number of the loop.
///
/// There are few loops at a time, usually one, and each hand-out looks one up several times: a linear search takes a
/// fraction of the time of hashing.
struct LoopTable<Value> {
    /// The numbers of the loops, in the order in which they came, and the value of each.
    private(set) var keys: [UInt64] = []
    var values: [Value] = []

    /// Where in `values` the loop `key` is.
    func index(forKey key: UInt64) -> Int? { keys.lastIndex(of: key) }

    /// The value of the loop `key`; nil where there is none.
    subscript(key: UInt64) -> Value? {
        get { index(forKey: key).map { values[$0] } }
        set {
            switch (index(forKey: key), newValue) {
            case (let place?, let value?): values[place] = value
            case (let place?, nil): remove(at: place)
            case (nil, let value?): append(key, value)
            case (nil, nil): break
            }
        }
    }

    /// The value of the loop `key`; the first change stores it.
    subscript(key: UInt64, default value: @autoclosure () -> Value) -> Value {
        get { self[key] ?? value() }
        // Changes the value in place, since it may be large.
        _modify {
            if index(forKey: key) == nil { append(key, value()) }
            yield &values[index(forKey: key) ?? values.endIndex]
        }
    }

    private mutating func append(_ key: UInt64, _ value: Value) {
        keys.append(key)
        values.append(value)
    }

    mutating func remove(at place: Int) {
        keys.remove(at: place)
        values.remove(at: place)
    }

    mutating func removeValue(forKey key: UInt64) -> Value? {
        guard let place = index(forKey: key) else { return nil }
        defer { remove(at: place) }
        return values[place]
    }

    /// Forgets all loops except those for which `isWanted` is true.
    mutating func keep(where isWanted: (UInt64, Value) -> Bool) {
        let wanted = values.indices.filter { isWanted(keys[$0], values[$0]) }
        guard wanted.count < values.count else { return }
        keys = wanted.map { keys[$0] }
        values = wanted.map { values[$0] }
    }
}
