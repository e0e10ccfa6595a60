import CLua
import CLuaHost
import DLP

/// Reads CBOR into Lua values straight onto the stack.
///
/// The bytes are not trusted: the decoder never recurses, and reserves room only for what the bytes can hold.
struct LuaDecoder {
    /// A container that is being read.
    ///
    /// Its table lies on top of `state`, below the current key of a map.
    private struct Frame {
        var state: LuaState
        var isMap: Bool
        /// How many elements (or keys and values) are still to come; nil: until a break.
        var remaining: Int?
        var next: lua_Integer = 1
        var hasKey = false
        /// Whether `state` was made for this container; it then lies on the stack of the container before.
        var ownsState = false
    }

    // Not private, because `LuaDecoder+Scalars.swift` uses it.
    var reader: CBORReader
    private var frames: [Frame] = []
    /// The stack index of the table of shared values; 0 while there is none.
    private var sharedIndex: Int32 = 0
    private var sharedCount: lua_Integer = 0
    private let base: LuaState
    /// The stack index at which the value being built begins.
    private var bottom: Int32 = 0

    /// A decoder of the items in `buffer`, which must outlive it.
    ///
    /// When it pushes one, the stack may hold at most `stackReserve` values more than it does now.
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
    /// - Throws: `CodecError` where `bytes` encode no value or more than one; then nothing is pushed.
    static func push(_ bytes: Bytes, on state: LuaState) throws(CodecError) {
        // Everything that is made here is in use, so a garbage collection meanwhile would find nothing.
        let hasStopped = dlp_stop_collector(state)
        defer { if hasStopped { dlp_restart_collector(state) } }
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

    /// Pushes the next value, of any type.
    private mutating func pushTable() throws(CodecError) {
        let top = lua_gettop(base)
        bottom = top + 1
        lua_checkstack(base, 16)
        do {
            var state = base
            repeat {
                // A container is open, or a value is complete and goes into the one before.
                if try pushItem(&state) { try attach(&state) }
                try fill(&state)
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

    /// Reads scalars, and keys that are strings, into the innermost container; these do not need `pushItem`.
    ///
    /// When the container is complete, goes on with the one around it.
    private mutating func fill(_ state: inout LuaState) throws(CodecError) {
        while let last = frames.indices.last, let remaining = frames[last].remaining {
            let isComplete =
                frames[last].isMap ? try fillMap(last, remaining, state) : try fillSequence(last, remaining, state)
            guard isComplete else { return }
            close(&state)
            try attach(&state)
        }
    }

    /// - Returns: whether all elements have been read; if not, the next one is no scalar.
    private mutating func fillSequence(
        _ frame: Int, _ remaining: Int, _ state: LuaState
    ) throws(CodecError) -> Bool {
        let end = frames[frame].next + lua_Integer(remaining)
        var next = frames[frame].next
        defer {
            frames[frame].next = next
            frames[frame].remaining = Int(end - next)
        }
        while next < end {
            let start = reader
            guard try pushScalar(state, reader.readHead()) else {
                reader = start
                return false
            }
            lua_rawseti(state, -2, next)
            next += 1
        }
        return true
    }

    /// - Returns: whether all entries have been read; if not, the next value is no scalar, or the next key is no string.
    private mutating func fillMap(
        _ frame: Int, _ remaining: Int, _ state: LuaState
    ) throws(CodecError) -> Bool {
        var (remaining, hasKey) = (remaining, frames[frame].hasKey)
        defer {
            frames[frame].remaining = remaining
            frames[frame].hasKey = hasKey
        }
        while remaining > 0 {
            let start = reader
            let head = try reader.readHead()
            let isFit = hasKey || head.major == CBORMajor.text || head.major == CBORMajor.bytes
            guard isFit, try pushScalar(state, head) else {
                reader = start
                return false
            }
            if hasKey {
                lua_rawset(state, -3)
                remaining -= 2
            }
            hasKey.toggle()
        }
        return true
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

    /// Ends the innermost container.
    ///
    /// Its table is then on top of the stack of the container around it.
    private mutating func close(_ state: inout LuaState) {
        let frame = frames.removeLast()
        guard frame.ownsState else { return }
        state = frames.last?.state ?? base
        lua_xmove(frame.state, state, 1)
        lua_copy(state, -1, -2)
        pop(state)
    }

    /// Puts the value on top into the container around it.
    ///
    /// If that completes the container, does the same with the container.
    private mutating func attach(_ state: inout LuaState) throws(CodecError) {
        while let last = frames.indices.last {
            if frames[last].isMap, !frames[last].hasKey {
                try checkKey(state)
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

    /// Throws for nil and NaN as a key, because Lua would raise an error for them.
    private func checkKey(_ state: LuaState) throws(CodecError) {
        let type = lua_type(state, -1)
        guard type == LUA_TNIL || (type == LUA_TNUMBER && lua_tonumberx(state, -1, nil).isNaN) else { return }
        throw CodecError("a map has nil or NaN as a key", at: reader.position)
    }

    /// Makes the table of shared values, unless there is one; it lies below the value that is being built.
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
