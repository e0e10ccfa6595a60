import CLua
import CLuaHost
import DLP

extension Digest {
    /// Of how many scalars a table is digested without being encoded.
    private static let mostScalars = 256

    /// The digest of the table at `index`, the same as of its encoding.
    ///
    /// Nil where the table holds something other than scalars, or many of them, or where the encoder would write it as a
    /// typed array.
    ///
    /// [-0, +0]
    init?(ofFlatTable index: Int32, _ state: LuaState) {
        guard lua_type(state, index) == LUA_TTABLE else { return nil }
        let shape = dlp_classify(state, index)
        let count = Int(shape.count) * (shape.is_sequence ? 1 : 2)
        guard count <= Self.mostScalars, !LuaEncoder.isTypedArray(shape) else { return nil }
        let digest: Digest? = withUnsafeTemporaryAllocation(of: dlp_scalar.self, capacity: count) { scalars in
            guard dlp_read_scalars(state, index, shape, scalars.baseAddress) else { return nil }
            var flat = FlatDigest(isMap: !shape.is_sequence)
            for scalar in scalars { flat.add(FlatDigest.Scalar(scalar)) }
            return flat.digest
        }
        guard let digest else { return nil }
        self = digest
    }
}

extension FlatDigest.Scalar {
    @inline(__always)
    fileprivate init(_ scalar: dlp_scalar) {
        switch scalar.type {
        case dlp_integer: self = .integer(scalar.integer)
        case dlp_float: self = .double(scalar.number)
        case dlp_boolean: self = .bool(scalar.boolean)
        default: self = .string(UnsafeRawBufferPointer(start: scalar.bytes, count: scalar.length))
        }
    }
}
