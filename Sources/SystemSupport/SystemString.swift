#if canImport(Glibc)
    import Glibc
#endif

/// A string as the system has it, such as an argument or the name of a file: any bytes but NUL, usually UTF-8.
///
/// It keeps every byte. Its description is for people who read it on a terminal.
public struct SystemString: Sendable, Hashable {
    /// Its bytes, without the NUL that ends them in C.
    public var bytes: [UInt8]

    /// The string of these bytes.
    public init(bytes: some Sequence<UInt8>) { self.bytes = Array(bytes) }

    /// The string that `text` spells in UTF-8.
    public init(_ text: String) { bytes = Array(text.utf8) }

    /// A copy of a string of C's.
    public init(cString: UnsafePointer<CChar>) {
        bytes = Array(UnsafeRawBufferPointer(start: cString, count: strlen(cString)))
    }

    /// The bytes as functions of C take them: an array is passed as a pointer.
    public var cString: [CChar] { bytes.map { CChar(bitPattern: $0) } + [0] }

    /// The text; nil where the bytes are not UTF-8.
    public var text: String? { String(validating: bytes, as: UTF8.self) }

    /// The bytes of both, one after the other.
    public static func + (left: SystemString, right: SystemString) -> SystemString {
        SystemString(bytes: left.bytes + right.bytes)
    }
}

extension SystemString: ExpressibleByStringLiteral {
    /// The string that a literal spells.
    public init(stringLiteral text: String) { self.init(text) }
}

extension SystemString: CustomStringConvertible {
    /// The string on one line, as a message shows it: control characters of terminals, and bytes that are not UTF-8,
    /// are shown as escapes.
    public var description: String { String(decodingVisibly: bytes).visible(keepsLines: false) }
}
