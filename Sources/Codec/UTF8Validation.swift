/// Whether `bytes` are well-formed UTF-8: no overlong forms, no surrogates, nothing above U+10FFFF (RFC 3629).
@inlinable
public func isValidUTF8(_ bytes: UnsafeRawBufferPointer) -> Bool {
    let position = endOfASCII(in: bytes, from: 0)
    return position == bytes.count || isValidUTF8(bytes, from: position)
}

/// Whether the bytes from `start` on are well-formed, too; the character at `start` is not ASCII.
@usableFromInline
func isValidUTF8(_ bytes: UnsafeRawBufferPointer, from start: Int) -> Bool {
    var position = start
    while position < bytes.count {
        let length = lengthOfMultibyteCharacter(in: bytes, at: position)
        if length == 0 { return false }
        position = endOfASCII(in: bytes, from: position + length)
    }
    return true
}

/// Returns where the run of ASCII characters from `start` on ends.
///
/// It checks eight bytes at a time.
@inlinable @inline(__always)
func endOfASCII(in bytes: UnsafeRawBufferPointer, from start: Int) -> Int {
    var position = start
    while bytes.count &- position >= 8 {
        let word = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: position, as: UInt64.self))
        let others = word & 0x8080_8080_8080_8080
        if others != 0 { return position + others.trailingZeroBitCount / 8 }
        position &+= 8
    }
    // Fewer than eight bytes are left. The last ones are checked together, even if some of them have been checked before.
    if position < bytes.count, endsInASCII(bytes) { return bytes.count }
    while position < bytes.count, bytes[position] < 0x80 { position &+= 1 }
    return position
}

/// Whether the last eight bytes are ASCII, or all bytes if there are four to seven; false if there are fewer.
@inlinable @inline(__always)
func endsInASCII(_ bytes: UnsafeRawBufferPointer) -> Bool {
    let count = bytes.count
    if count >= 8 {
        return bytes.loadUnaligned(fromByteOffset: count &- 8, as: UInt64.self) & 0x8080_8080_8080_8080 == 0
    }
    guard count >= 4 else { return false }
    let word =
        bytes.loadUnaligned(fromByteOffset: 0, as: UInt32.self)
        | bytes.loadUnaligned(fromByteOffset: count &- 4, as: UInt32.self)
    return word & 0x8080_8080 == 0
}

/// Returns how many bytes the non-ASCII character at `position` has; 0 if it is malformed.
private func lengthOfMultibyteCharacter(in bytes: UnsafeRawBufferPointer, at position: Int) -> Int {
    let length: Int
    // The valid second bytes depend on the first byte. This excludes overlong forms, surrogates and values that are too
    // large.
    let second: ClosedRange<UInt8>
    switch bytes[position] {
    case 0xc2...0xdf: (length, second) = (2, 0x80...0xbf)
    case 0xe0: (length, second) = (3, 0xa0...0xbf)
    case 0xe1...0xec, 0xee, 0xef: (length, second) = (3, 0x80...0xbf)
    case 0xed: (length, second) = (3, 0x80...0x9f)
    case 0xf0: (length, second) = (4, 0x90...0xbf)
    case 0xf1...0xf3: (length, second) = (4, 0x80...0xbf)
    case 0xf4: (length, second) = (4, 0x80...0x8f)
    default: return 0
    }
    guard bytes.count - position >= length, second.contains(bytes[position + 1]) else { return 0 }
    for offset in 2..<max(length, 2) where bytes[position + offset] & 0xc0 != 0x80 { return 0 }
    return length
}
