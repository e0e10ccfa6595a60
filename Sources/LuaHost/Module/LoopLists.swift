import CLua
import CLuaHost
import DLP

// The elements of a module's loop, in the form in which ranks compare them.

extension LuaHost {
    /// Describes the elements that this rank has for a loop.
    ///
    /// - Parameters:
    ///   - length: how many there are; below 0: an iterator.
    ///   - index: where the list lies, if it is a table without metamethods.
    func loopList(_ state: LuaState, length: Int, _ index: Int32) -> LoopList {
        dlp_push_where(state)
        let place = (string(state, -1) ?? "").split(separator: ": ").first.map { String($0) } ?? "the script"
        pop(state)
        guard length >= 0 else { return LoopList(.iterator, place: place) }
        guard lua_type(state, index) != LUA_TNUMBER else { return LoopList(.number, place: place) }
        var list = LoopList(.list, place: place)
        // Other kinds of list may read each element from a file.
        guard client.size > 1, lua_type(state, index) == LUA_TTABLE, length <= Int(clamping: lua_rawlen(state, index))
        else { return list }
        let encoded = encodedList(state, length: length, index)
        list.digest = encoded?.withUnsafeBytes { try? Digest(of: $0) }
        if client.isRoot, list.digest != nil { list.encoded = encoded ?? .empty }
        return list
    }

    /// Encodes the first `length` elements of a table as one value; nil where they hold something that cannot be sent.
    private func encodedList(_ state: LuaState, length: Int, _ index: Int32) -> Bytes? {
        let shape = dlp_classify(state, index)
        defer { pop(state) }
        if shape.is_sequence, shape.count == length {
            lua_pushvalue(state, index)
        } else {
            // The loop does not use the table's other entries.
            lua_createtable(state, Int32(clamping: length), 0)
            for element in 0..<length {
                lua_rawgeti(state, index, lua_Integer(element + 1))
                lua_rawseti(state, -2, lua_Integer(element + 1))
            }
        }
        do { try collectiveEncoder.append(state, -1) } catch { return nil }
        return collectiveEncoder.take()
    }
}
