/// A decoded value.
///
/// It is for Swift programs and for tests; the Lua host does not use it. Tags are kept unchanged, including those of shared
/// references and typed arrays.
public indirect enum Value: Sendable {
    case null
    case bool(Bool)
    case integer(Int64)
    /// An integer above `Int64.max`.
    case unsigned(UInt64)
    /// The integer -1 - n, below `Int64.min`.
    case negative(UInt64)
    case double(Double)
    case text(String)
    case bytes([UInt8])
    case array([Value])
    /// The entries in their order; equal keys are not detected.
    case map([(key: Value, value: Value)])
    case tagged(UInt64, Value)
    /// A simple value other than false, true and null: 23 is undefined.
    case simple(UInt8)

    /// How deep values may be nested; a deeper value would overflow the stack when it is freed.
    public static let maximumDepth = 1_000

    static let tooDeep = CodecError("the value is nested more than \(maximumDepth) levels deep")
}

extension Value: Equatable {
    /// Whether both are the same value: floating-point numbers by their bits, entries of maps in the same order.
    public static func == (left: Value, right: Value) -> Bool {
        switch (left, right) {
        case (.null, .null): true
        case (.bool(let a), .bool(let b)): a == b
        case (.integer(let a), .integer(let b)): a == b
        case (.unsigned(let a), .unsigned(let b)): a == b
        case (.negative(let a), .negative(let b)): a == b
        case (.double(let a), .double(let b)): a.bitPattern == b.bitPattern
        // Not by Swift's rule, which treats differently composed characters as equal.
        case (.text(let a), .text(let b)): a.utf8.elementsEqual(b.utf8)
        case (.bytes(let a), .bytes(let b)): a == b
        case (.array(let a), .array(let b)): a == b
        case (.map(let a), .map(let b)): a.elementsEqual(b) { $0.key == $1.key && $0.value == $1.value }
        case (.tagged(let a, let x), .tagged(let b, let y)): a == b && x == y
        case (.simple(let a), .simple(let b)): a == b
        default: false
        }
    }
}
