import CLua
import CLuaHost
import DLP

/// Reads CBOR into Lua values straight onto the stack.
///
/// What it reads may come from anywhere: it never recurses, and makes room only for what the bytes can hold.
struct LuaDecoder {
    /// A container under way; its table lies on top of `state`, below a map's current key.
    private struct Frame {
        var state: LuaState
        var isMap: Bool
        /// How many elements, or keys and values, are to come; nil: until a break.
        var remaining: Int?
        var next: lua_Integer = 1
        var hasKey = false
        /// Whether `state` was made for this container, and lies on the stack of the one before.
        var ownsState = false
    }

    private var reader: CBORReader
    private var frames: [Frame] = []
    /// Where the table of shared values lies, once there is one.
    private var sharedIndex: Int32 = 0
    private var sharedCount: lua_Integer = 0
    private let base: LuaState
    /// Where the value under construction begins.
    private var bottom: Int32 = 0

    /// A decoder of the items in `buffer`, which must outlive it; they are pushed where at most as many values as
    /// `stackReserve` lie above those that are on the stack now.
    init(_ state: LuaState, _ buffer: UnsafeRawBufferPointer) {
        reader = CBORReader(buffer)
        base = state
        lua_checkstack(state, Self.stackReserve + 1)
    }

    private static let stackReserve: Int32 = 15

    /// Pushes the one value that `bytes` encodes.
    ///
    /// [-0, +1]
    ///
    /// - Throws: `CodecError` where they encode none, or more than one; then nothing is pushed.
    static func push(_ bytes: Bytes, on state: LuaState) throws(CodecError) {
        try bytes.withUnsafeBytes { (buffer) throws(CodecError) in
            var decoder = LuaDecoder(state, buffer)
            try decoder.push()
            guard decoder.isAtEnd else {
                pop(state)
                throw CodecError("more than one value where one was expected", at: decoder.reader.position)
            }
        }
    }

    /// Whether everything has been read.
    var isAtEnd: Bool { reader.remaining == 0 }

    /// Pushes the next value.
    ///
    /// [-0, +1]
    mutating func push() throws(CodecError) {
        let start = reader
        if try pushScalar(base, reader.readHead()) { return }
        reader = start
        try pushTable()
    }

    /// Pushes the next value, which may be any.
    private mutating func pushTable() throws(CodecError) {
        let top = lua_gettop(base)
        bottom = top + 1
        lua_checkstack(base, 16)
        do {
            var state = base
            repeat {
                // A container is open, or a value is complete and goes into the one before.
                if try pushItem(&state) { attach(&state) }
                try checkKey(state)
            } while !frames.isEmpty
        } catch {
            frames.removeAll()
            sharedIndex = 0
            sharedCount = 0
            lua_settop(base, top)
            throw error
        }
        if sharedIndex != 0 {
            lua_copy(base, -1, sharedIndex)
            lua_settop(base, sharedIndex)
            sharedIndex = 0
            sharedCount = 0
        }
    }

    /// Reads one head.
    ///
    /// True: a complete value is on top; false: a container has begun, or ended by a break.
    private mutating func pushItem(_ state: inout LuaState) throws(CodecError) -> Bool {
        var shared: lua_Integer = 0
        while true {
            let start = reader.position
            let head = try reader.readHead()
            if try pushScalar(state, head) { break }
            if head.isBreak {
                guard shared == 0, let last = frames.last, last.remaining == nil, !last.hasKey else {
                    throw CodecError("a break where a value was expected", at: start)
                }
                close(&state)
                return true
            }
            switch head.major {
            case CBORMajor.tag where head.argument == CBORTag.shareable:
                guard shared == 0 else { throw CodecError("a value is marked as shared twice", at: start) }
                openShared()
                sharedCount += 1
                shared = sharedCount
                continue
            case CBORMajor.tag where head.argument == CBORTag.sharedReference:
                try pushReference(state, at: start)
            case CBORMajor.tag:
                guard TypedArray.isTypedArray(tag: head.argument) else { continue }
                try pushTypedArray(state, head.argument, at: start)
            case CBORMajor.array, CBORMajor.map:
                try open(head, &state)
                if shared != 0 { noteShared(state, shared) }
                if let last = frames.last, last.remaining == 0 {
                    close(&state)
                    return true
                }
                return false
            default: try pushForeignScalar(state, head, at: start)
            }
            break
        }
        if shared != 0 { noteShared(state, shared) }
        return true
    }

    /// Pushes what `head` begins if that is no table, in the form in which our encoder writes it; false where it is not.
    @inline(__always)
    private mutating func pushScalar(_ state: LuaState, _ head: CBORHead) throws(CodecError) -> Bool {
        switch head.major {
        case CBORMajor.unsigned, CBORMajor.negative:
            guard let value = head.integer else { return false }
            lua_pushinteger(state, value)
        case CBORMajor.bytes, CBORMajor.text:
            guard !head.isIndefinite else { return false }
            let bytes = try reader.readBytes(count: head.argument)
            lua_pushlstring(state, bytes.baseAddress?.assumingMemoryBound(to: CChar.self), bytes.count)
        case CBORMajor.simple:
            switch head.info {
            case CBORSimple.no, CBORSimple.yes: lua_pushboolean(state, head.info == CBORSimple.yes ? 1 : 0)
            case CBORSimple.null: lua_pushnil(state)
            case CBORSimple.float64: lua_pushnumber(state, Double(bitPattern: head.argument))
            default: return false
            }
        default: return false
        }
        return true
    }

    /// Pushes what other encoders may write.
    private mutating func pushForeignScalar(
        _ state: LuaState, _ head: CBORHead, at start: Int
    ) throws(CodecError) {
        if head.major <= CBORMajor.negative {
            throw CodecError("an integer of more than 64 bits, which Lua does not have", at: start)
        } else if head.major <= CBORMajor.text {
            try pushPieces(state, head.major)
        } else if let number = head.double {
            lua_pushnumber(state, number)
        } else if head.isSimple(CBORSimple.undefined) {
            lua_pushnil(state)
        } else {
            throw CodecError("a simple value that Lua does not have", at: start)
        }
    }

    /// A string in pieces, as other encoders may write it.
    private mutating func pushPieces(_ state: LuaState, _ major: UInt8) throws(CodecError) {
        var whole = ByteWriter()
        while true {
            let start = reader.position
            let head = try reader.readHead()
            if head.isBreak { break }
            guard head.major == major, !head.isIndefinite else {
                throw CodecError("a string has a piece of another type", at: start)
            }
            whole.append(contentsOf: try reader.readBytes(count: head.argument))
        }
        whole.finish().withUnsafeBytes {
            _ = lua_pushlstring(state, $0.baseAddress?.assumingMemoryBound(to: CChar.self), $0.count)
        }
    }

    private mutating func pushTypedArray(
        _ state: LuaState, _ tag: UInt64, at start: Int
    ) throws(CodecError) {
        let head = try reader.readHead()
        guard head.major == CBORMajor.bytes, !head.isIndefinite else {
            throw CodecError("a typed array without its bytes", at: start)
        }
        guard let array = try TypedArray(tag: tag, bytes: reader.readBytes(count: head.argument)) else {
            throw CodecError("a typed array of an unknown type", at: start)
        }
        lua_createtable(state, Int32(clamping: array.count), 0)
        for index in 0..<array.count {
            if array.isFloat {
                lua_pushnumber(state, array.double(at: index))
            } else {
                lua_pushinteger(state, array.integer(at: index))
            }
            lua_rawseti(state, -2, lua_Integer(index + 1))
        }
    }

    private mutating func open(_ head: CBORHead, _ state: inout LuaState) throws(CodecError) {
        let isMap = head.major == CBORMajor.map
        let count = Int(head.argument)
        var frame = Frame(
            state: state, isMap: isMap, remaining: head.isIndefinite ? nil : isMap ? 2 * count : count)
        if lua_checkstack(state, 16) == 0 {
            // This stack is full (Lua stops at a million values): go on with the stack of a new coroutine.
            frame.state = lua_newthread(state)
            frame.ownsState = true
            state = frame.state
            lua_checkstack(state, 16)
        }
        lua_createtable(state, isMap ? 0 : Int32(clamping: count), isMap ? Int32(clamping: count) : 0)
        frames.append(frame)
    }

    /// Ends the innermost container; its table is then on top of the state of the one around it.
    private mutating func close(_ state: inout LuaState) {
        let frame = frames.removeLast()
        guard frame.ownsState else { return }
        state = frames.last?.state ?? base
        lua_xmove(frame.state, state, 1)
        lua_copy(state, -1, -2)
        pop(state)
    }

    /// Puts the value on top into the container around it, and that, where it is complete, likewise.
    private mutating func attach(_ state: inout LuaState) {
        while let last = frames.indices.last {
            if frames[last].isMap, !frames[last].hasKey {
                frames[last].hasKey = true
                return
            }
            if frames[last].isMap {
                lua_rawset(state, -3)
                frames[last].hasKey = false
                if let remaining = frames[last].remaining { frames[last].remaining = remaining - 2 }
            } else {
                lua_rawseti(state, -2, frames[last].next)
                frames[last].next += 1
                if let remaining = frames[last].remaining { frames[last].remaining = remaining - 1 }
            }
            guard frames[last].remaining == 0 else { return }
            close(&state)
        }
    }

    /// Lua refuses nil and NaN as keys by raising; so they must not get there.
    private func checkKey(_ state: LuaState) throws(CodecError) {
        guard let last = frames.last, last.isMap, last.hasKey else { return }
        let type = lua_type(state, -1)
        guard type == LUA_TNIL || (type == LUA_TNUMBER && lua_tonumberx(state, -1, nil).isNaN) else { return }
        throw CodecError("a map has nil or NaN as a key", at: reader.position)
    }

    /// The table of shared values lies below the value that is being built.
    private mutating func openShared() {
        guard sharedIndex == 0 else { return }
        lua_createtable(base, 0, 0)
        lua_rotate(base, bottom, 1)
        sharedIndex = bottom
    }

    /// Remembers the value on top of `state` as the shared value `number`, from 1.
    private func noteShared(_ state: LuaState, _ number: lua_Integer) {
        lua_pushvalue(state, -1)
        if state != base { lua_xmove(state, base, 1) }
        lua_rawseti(base, sharedIndex, number)
    }

    private mutating func pushReference(_ state: LuaState, at start: Int) throws(CodecError) {
        let head = try reader.readHead()
        guard head.major == CBORMajor.unsigned, let number = lua_Integer(exactly: head.argument),
            number < sharedCount, lua_rawgeti(base, sharedIndex, number + 1) != LUA_TNIL
        else { throw CodecError("a reference to a shared value that is not there", at: start) }
        if state != base { lua_xmove(base, state, 1) }
    }
}
