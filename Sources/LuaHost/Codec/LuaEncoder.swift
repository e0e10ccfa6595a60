import CLua
import CLuaHost
import DLP

/// Writes Lua values as CBOR straight from the stack.
///
/// A table that occurs more than once becomes a shared value with references (tags 28 and 29). A long sequence of numbers
/// becomes a typed array (RFC 8746). Nothing recurses: the depth of tables is limited by memory only.
final class LuaEncoder {
    /// A table that is being written.
    private struct Frame {
        /// The coroutine on whose stack it lies.
        var state: LuaState
        /// Its stack index; a map has its current key and value above it.
        var table: Int32
        /// The last index of a sequence, or nil for a map.
        var length: Int?
        /// The index of a sequence that comes next.
        var next = 1
        /// Whether the current key of a map is written and its value comes next.
        var isAtValue = false
        /// Whether `state` was made for this table; it then lies on the stack of the table before.
        var ownsState = false
    }

    private var writer = ByteWriter(capacity: 256)
    private var frames: [Frame] = []
    private var seen = SeenTables()
    /// The positions at which references were written, each with the offset of the table that it refers to.
    private var references: [(position: Int, target: Int)] = []

    /// Whether the garbage collector is stopped until the current value is complete.
    private var hasStoppedCollector = false

    /// The shortest sequence of numbers that is written as a typed array; below this, typed arrays save nothing.
    private static let typedArrayThreshold: UInt = 16

    /// Whether a table of this shape is written as a typed array.
    static func isTypedArray(_ shape: dlp_shape) -> Bool {
        shape.is_sequence && shape.count >= typedArrayThreshold && (shape.is_floats || shape.is_integers)
    }

    /// An encoder with an empty buffer.
    init() {}

    /// How many bytes have been written since the last `take`.
    var count: Int { writer.count }

    /// Returns what was written since the last call.
    func take() -> Bytes { writer.take() }

    /// Puts a large value, until the next `take`, into memory that other processes of this host can share.
    func shareLarge() { writer.share(from: Self.largeLength) }

    /// The length from which values are shared, in bytes.
    ///
    /// Below it, reusing the same memory is faster than new shareable memory.
    private static let largeLength = 32 << 20

    /// Drops everything after the first `length` bytes.
    func truncate(to length: Int) { writer.truncate(to: length) }

    /// Appends the value at `index`.
    ///
    /// [-0, +0]
    ///
    /// - Throws: `LuaCodecError` for a value that cannot be sent; then nothing was appended.
    func append(_ state: LuaState, _ index: Int32) throws(LuaCodecError) {
        if appendScalar(state, index) { return }
        let (start, top) = (writer.count, lua_gettop(state))
        seen.removeAll()
        references.removeAll(keepingCapacity: true)
        lua_checkstack(state, 16)
        lua_pushvalue(state, index)
        defer { restartCollector(state) }
        do {
            try appendTable(state)
            if !references.isEmpty { markShared() }
        } catch {
            frames.removeAll(keepingCapacity: true)
            writer.truncate(to: start)
            lua_settop(state, top)
            throw error
        }
        lua_settop(state, top)
    }

    /// Appends a scalar; returns false where the value is a table, or cannot be sent.
    @inline(__always)
    private func appendScalar(_ state: LuaState, _ index: Int32) -> Bool {
        switch lua_type(state, index) {
        case LUA_TNUMBER:
            if lua_isinteger(state, index) != 0 {
                writer.appendInteger(lua_tointegerx(state, index, nil))
            } else {
                writer.appendDouble(lua_tonumberx(state, index, nil))
            }
        case LUA_TSTRING:
            var length = 0
            let base = lua_tolstring(state, index, &length)
            writer.appendString(UnsafeRawBufferPointer(start: base, count: length))
        case LUA_TBOOLEAN: writer.appendBool(lua_toboolean(state, index) != 0)
        case LUA_TNIL: writer.appendNull()
        default: return false
        }
        return true
    }

    /// Appends the table on top, and removes it.
    private func appendTable(_ state: LuaState) throws(LuaCodecError) {
        try open(state)
        while let last = frames.indices.last {
            if frames[last].length == nil { try stepMap(last) } else { try stepSequence(last) }
        }
    }

    /// Appends elements until one is a table, or all are written.
    private func stepSequence(_ last: Int) throws(LuaCodecError) {
        let (state, table) = (frames[last].state, frames[last].table)
        let length = frames[last].length ?? 0
        var next = frames[last].next
        while next <= length {
            lua_rawgeti(state, table, lua_Integer(next))
            next += 1
            if appendScalar(state, -1) {
                pop(state)
            } else {
                frames[last].next = next
                return try open(state)
            }
        }
        close()
    }

    /// Appends entries until a key or value is a table, or all are written.
    private func stepMap(_ last: Int) throws(LuaCodecError) {
        let (state, table) = (frames[last].state, frames[last].table)
        var isAtValue = frames[last].isAtValue
        while true {
            if !isAtValue {
                guard lua_next(state, table) != 0 else { return close() }
                if !appendScalar(state, -2) {
                    frames[last].isAtValue = true
                    lua_pushvalue(state, -2)
                    return try open(state)
                }
            }
            isAtValue = false
            if !appendScalar(state, -1) {
                frames[last].isAtValue = false
                return try open(state)
            }
            pop(state)
        }
    }

    /// Begins the value on top, which is no scalar, and removes it once it is written.
    private func open(_ state: LuaState) throws(LuaCodecError) {
        guard lua_type(state, -1) == LUA_TTABLE else { throw unfit(state) }
        let offset = writer.count
        if let target = seen.visit(UInt(bitPattern: lua_topointer(state, -1)), at: offset) {
            references.append((offset, target))
            writer.appendTag(CBORTag.sharedReference)
            writer.append(0x1A)  // A four-byte integer; its value is filled in at the end.
            writer.append(bigEndian: UInt32(0))
            return pop(state)
        }
        let shape = dlp_classify(state, -1)
        if shape.is_sequence {
            if Self.isTypedArray(shape) {
                appendTypedArray(state, shape)
                return pop(state)
            }
            writer.appendHead(major: CBORMajor.array, argument: UInt64(shape.count))
        } else {
            writer.appendHead(major: CBORMajor.map, argument: UInt64(shape.count))
        }
        push(state, length: shape.is_sequence ? Int(shape.count) : nil)
    }

    private func push(_ state: LuaState, length: Int?) {
        var frame = Frame(state: state, table: lua_gettop(state), length: length)
        if lua_checkstack(state, 16) == 0 {
            // This stack is full (Lua stops at a million values): go on with the stack of a new coroutine. Making one may run
            // finalizers. These could change the tables that are being written, or encode something themselves.
            hasStoppedCollector = dlp_stop_collector(state) || hasStoppedCollector
            frame.state = lua_newthread(state)
            lua_pushvalue(state, -2)
            lua_xmove(state, frame.state, 1)
            frame.table = 1
            frame.ownsState = true
            lua_checkstack(frame.state, 16)
        }
        if length == nil { lua_pushnil(frame.state) }
        frames.append(frame)
    }

    private func restartCollector(_ state: LuaState) {
        if hasStoppedCollector { dlp_restart_collector(state) }
        hasStoppedCollector = false
    }

    private func close() {
        let frame = frames.removeLast()
        if frame.ownsState, let below = frames.last {
            pop(below.state, 2)
        } else {
            lua_settop(frame.state, frame.table - 1)
        }
    }

    /// Appends the sequence of numbers on top as one byte string, after a tag that names the number type.
    private func appendTypedArray(_ state: LuaState, _ shape: dlp_shape) {
        let (type, tag, size) = Self.numberType(of: shape)
        writer.appendTag(tag)
        writer.appendHead(major: CBORMajor.bytes, argument: UInt64(shape.count * size))
        writer.append(count: shape.count * size) { dlp_read_numbers(state, -1, type, shape.count, $0) }
    }

    /// Returns the narrowest type that holds the numbers, its tag, and the bytes that each number takes.
    private static func numberType(of shape: dlp_shape) -> (dlp_number, tag: UInt64, size: Int) {
        if shape.is_floats { return (dlp_float64, TypedArray.Tag.float64, 8) }
        func holds<Integer: FixedWidthInteger>(_: Integer.Type) -> Bool {
            shape.low >= Integer.min && shape.high <= Integer.max
        }
        if holds(Int8.self) { return (dlp_int8, TypedArray.Tag.int8, 1) }
        if holds(Int16.self) { return (dlp_int16, TypedArray.Tag.int16, 2) }
        if holds(Int32.self) { return (dlp_int32, TypedArray.Tag.int32, 4) }
        return (dlp_int64, TypedArray.Tag.int64, 8)
    }

    /// Numbers the tables that references refer to, tags them, and fills in the references.
    private func markShared() {
        let shared = seen.sharedOffsets()
        var numbers: [Int: UInt32] = [:]
        for (number, offset) in shared.enumerated() { numbers[offset] = UInt32(number) }
        let end = writer.count
        writer.append(count: Self.tagLength * shared.count) { _ in }
        writer.withUnsafeMutableBytes { buffer in
            for (position, target) in references {
                // The tag takes two bytes, the integer's head one.
                buffer.storeBytes(of: (numbers[target] ?? 0).bigEndian, toByteOffset: position + 3, as: UInt32.self)
            }
            Self.insertTags(at: shared, in: buffer, until: end)
        }
    }

    /// Inserts a tag before each of the items at `offsets`, which are ascending.
    ///
    /// The buffer must have enough space for the tags after `end`.
    private static func insertTags(at offsets: [Int], in buffer: UnsafeMutableRawBufferPointer, until end: Int) {
        guard let base = buffer.baseAddress else { return }
        // From the back, so that each item is moved before anything is written over it.
        var (end, shift) = (end, tagLength * offsets.count)
        for offset in offsets.reversed() {
            (base + offset + shift).copyMemory(from: base + offset, byteCount: end - offset)
            shift -= tagLength
            buffer.storeBytes(of: shareableTag.bigEndian, toByteOffset: offset + shift, as: UInt16.self)
            end = offset
        }
    }

    /// The tag of a shared table as it is written, and how many bytes it takes.
    private static let shareableTag = UInt16(CBORMajor.tag << 5 | 24) << 8 | UInt16(CBORTag.shareable)
    private static let tagLength = 2

    /// The error for the value on top of `state`.
    private func unfit(_ state: LuaState) -> LuaCodecError {
        let kind = String(cString: lua_typename(state, lua_type(state, -1)))
        let path = frames.map { frame -> String in
            if frame.length != nil { return "[\(frame.next - 1)]" }
            return key(frame.state, frame.table + 1)
        }
        return LuaCodecError(path: path.joined(), kind: kind)
    }

    private func key(_ state: LuaState, _ index: Int32) -> String {
        if let name = string(state, index) {
            let isName = name.utf8.allSatisfy { $0 == 95 || ($0 | 32 > 96 && $0 | 32 < 123) || ($0 > 47 && $0 < 58) }
            return isName && !name.isEmpty ? "." + name : "[\"\(name)\"]"
        }
        if lua_isinteger(state, index) != 0 { return "[\(lua_tointegerx(state, index, nil))]" }
        if lua_type(state, index) == LUA_TNUMBER { return "[\(lua_tonumberx(state, index, nil))]" }
        if lua_type(state, index) == LUA_TBOOLEAN { return "[\(lua_toboolean(state, index) != 0)]" }
        return "[a \(String(cString: lua_typename(state, lua_type(state, index))))]"
    }
}
