/// The major types of RFC 8949, section 3.1.
public enum CBORMajor {
    /// 0: an integer from 0 on.
    @inlinable public static var unsigned: UInt8 { 0 }
    /// 1: an integer below 0, as -1 - argument.
    @inlinable public static var negative: UInt8 { 1 }
    /// 2: a byte string.
    @inlinable public static var bytes: UInt8 { 2 }
    /// 3: a text string, in UTF-8.
    @inlinable public static var text: UInt8 { 3 }
    /// 4: an array.
    @inlinable public static var array: UInt8 { 4 }
    /// 5: a map; each key is followed by its value.
    @inlinable public static var map: UInt8 { 5 }
    /// 6: a tag, and the item that it describes.
    @inlinable public static var tag: UInt8 { 6 }
    /// 7: a simple value, a floating-point number or the break that ends an item of indefinite length.
    @inlinable public static var simple: UInt8 { 7 }
}

/// The simple values with a meaning, RFC 8949, section 3.3.
public enum CBORSimple {
    /// 20: false.
    @inlinable public static var no: UInt8 { 20 }
    /// 21: true.
    @inlinable public static var yes: UInt8 { 21 }
    /// 22: null, Lua's nil.
    @inlinable public static var null: UInt8 { 22 }
    /// 23: undefined.
    @inlinable public static var undefined: UInt8 { 23 }
    /// 27: no simple value, but a floating-point number of 64 bits, which follows.
    @inlinable public static var float64: UInt8 { 27 }
}

/// The tags for values that occur more than once, http://cbor.schmorp.de/value-sharing.
public enum CBORTag {
    /// 28: the item inside may be referred to.
    ///
    /// Such items are numbered from 0 in the order of their tags.
    @inlinable public static var shareable: UInt64 { 28 }
    /// 29: a reference to the item that has the number inside.
    @inlinable public static var sharedReference: UInt64 { 29 }
}

/// The beginning of an item: its type, and a number whose meaning depends on the type.
@frozen
public struct CBORHead: Sendable, Hashable {
    /// The type, see `CBORMajor`.
    public let major: UInt8
    /// The low five bits of the first byte: the place of the argument, and the size of a floating-point number.
    public let info: UInt8
    /// The value of an integer, the bits of a floating-point number, a tag's number, a simple value's number, or the number
    /// of bytes, elements or entries that follow.
    public let argument: UInt64

    /// A head of these three parts.
    @inlinable
    public init(major: UInt8, info: UInt8, argument: UInt64) {
        self.major = major
        self.info = info
        self.argument = argument
    }

    /// Whether a string, array or map follows that ends with a break.
    @inlinable public var isIndefinite: Bool { info == 31 && major != CBORMajor.simple }

    /// Whether this is the break that ends an item of indefinite length.
    @inlinable public var isBreak: Bool { info == 31 && major == CBORMajor.simple }

    /// Whether this is the simple value `number`.
    @inlinable
    public func isSimple(_ number: UInt8) -> Bool {
        major == CBORMajor.simple && info <= 24 && argument == UInt64(number)
    }

    /// The floating-point number, if this is one, of any of the three sizes.
    @inlinable public var double: Double? {
        guard major == CBORMajor.simple else { return nil }
        return switch info {
        case 27: Double(bitPattern: argument)
        case 26: Double(Float(bitPattern: UInt32(truncatingIfNeeded: argument)))
        case 25: Self.double(half: UInt16(truncatingIfNeeded: argument))
        default: nil
        }
    }

    /// The integer, if this is one that `Int64` can hold.
    @inlinable public var integer: Int64? {
        guard major <= CBORMajor.negative, argument <= UInt64(Int64.max) else { return nil }
        let magnitude = Int64(truncatingIfNeeded: argument)
        return major == CBORMajor.unsigned ? magnitude : -1 - magnitude
    }

    /// The number whose IEEE 754 binary16 representation is `bits`.
    @usableFromInline
    static func double(half bits: UInt16) -> Double {
        let fraction = UInt64(bits & 0x3ff)
        let magnitude =
            switch (bits >> 10) & 0x1f {
            // Subnormal: the fraction counts in units of 2^-24.
            case 0: Double(fraction) * 0x1p-24
            case 31: Double(bitPattern: 0x7ff << 52 | fraction << 42)
            case let exponent: Double(bitPattern: (UInt64(exponent) + 1023 - 15) << 52 | fraction << 42)
            }
        return bits >> 15 == 0 ? magnitude : -magnitude
    }
}
