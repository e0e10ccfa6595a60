import CLua
import CLuaHost
import DLP

// Scalars, strings in pieces, and typed arrays.

extension LuaDecoder {
    /// Pushes the value that `head` begins if it is a scalar in the form that our encoder writes; returns false otherwise.
    @inline(__always)
    mutating func pushScalar(_ state: LuaState, _ head: CBORHead) throws(CodecError) -> Bool {
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

    /// Pushes a scalar in a form that only other encoders write.
    mutating func pushForeignScalar(
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

    /// Pushes a string that is encoded in pieces, which only other encoders write.
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

    mutating func pushTypedArray(
        _ state: LuaState, _ tag: UInt64, at start: Int
    ) throws(CodecError) {
        let head = try reader.readHead()
        guard head.major == CBORMajor.bytes, !head.isIndefinite else {
            throw CodecError("a typed array without its bytes", at: start)
        }
        guard let array = try TypedArray(tag: tag, bytes: reader.readBytes(count: head.argument)) else {
            throw CodecError("a typed array of an unknown type", at: start)
        }
        if let type = Self.ownType(of: tag) {
            return dlp_push_numbers(state, type, array.bytes.baseAddress, array.count)
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

    /// Returns the number type of a typed array with a tag that our encoder writes; nil for other tags.
    private static func ownType(of tag: UInt64) -> dlp_number? {
        switch tag {
        case TypedArray.Tag.float64: dlp_float64
        case TypedArray.Tag.int8: dlp_int8
        case TypedArray.Tag.int16: dlp_int16
        case TypedArray.Tag.int32: dlp_int32
        case TypedArray.Tag.int64: dlp_int64
        default: nil
        }
    }
}
