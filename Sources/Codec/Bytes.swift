import CSystem

#if canImport(Glibc)
    import Glibc
#endif

/// An immutable run of bytes that is shared, never copied: a message's body, an encoded value.
///
/// The memory comes from `dlp_realloc`, so that a `ByteWriter` can hand over its memory without a copy, or it is mapped.
public struct Bytes: Sendable {
    /// Owns the memory.
    ///
    /// Unchecked because of the raw pointer. It is sound because nothing writes through the pointer after `init`, and only
    /// `deinit`, which runs when no reference is left, frees the memory.
    @usableFromInline
    final class Storage: @unchecked Sendable {
        @usableFromInline let base: UnsafeMutableRawPointer?
        /// The least number of bytes; exactly their number if the memory is mapped.
        let count: Int
        /// Whether the memory is mapped; otherwise it came from `dlp_realloc`.
        private let isMapped: Bool
        /// The descriptor by which other processes can reach the memory; -1 where they cannot.
        let descriptor: Int32

        init(base: UnsafeMutableRawPointer?, count: Int, isMapped: Bool = false, descriptor: Int32 = -1) {
            self.base = base
            self.count = count
            self.isMapped = isMapped
            self.descriptor = descriptor
        }

        deinit {
            if isMapped { munmap(base, count) } else { dlp_free(base, count) }
            if descriptor >= 0 { close(descriptor) }
        }
    }

    @usableFromInline let storage: Storage
    @usableFromInline let offset: Int
    /// How many bytes there are.
    public let count: Int

    /// No bytes.
    public static let empty = Bytes(adopting: nil, count: 0)

    /// Takes over `count` bytes at `base`, which came from `dlp_realloc`.
    public init(adopting base: UnsafeMutableRawPointer?, count: Int) {
        storage = Storage(base: base, count: count)
        offset = 0
        self.count = count
    }

    /// Takes over the mapping of `count` bytes at `base`, at least one.
    ///
    /// The bytes must not change.
    ///
    /// - Parameter descriptor: the memory's descriptor, which is taken over too, if other processes are to reach it.
    package init(mappedAt base: UnsafeRawPointer, count: Int, of descriptor: Int32 = -1) {
        storage = Storage(
            base: UnsafeMutableRawPointer(mutating: base), count: count, isMapped: true, descriptor: descriptor)
        offset = 0
        self.count = count
    }

    /// The descriptor of memory that contains exactly these bytes, which never change; nil where there is none.
    ///
    /// It stays open as long as these bytes exist.
    package var memoryFile: Int32? {
        storage.descriptor >= 0 && count == storage.count ? storage.descriptor : nil
    }

    private init(storage: Storage, offset: Int, count: Int) {
        self.storage = storage
        self.offset = offset
        self.count = count
    }

    /// Makes a copy of `bytes`.
    public init(_ bytes: some Collection<UInt8>) {
        var writer = ByteWriter(capacity: bytes.count)
        for byte in bytes { writer.append(byte) }
        self = writer.finish()
    }

    /// Makes a copy of the bytes at `buffer`.
    public init(copying buffer: UnsafeRawBufferPointer) {
        var writer = ByteWriter(capacity: buffer.count)
        writer.append(contentsOf: buffer)
        self = writer.finish()
    }

    /// Returns the bytes in `range`, which share this memory.
    ///
    /// - Precondition: `range` lies within `0..<count`.
    public subscript(range: Range<Int>) -> Bytes {
        precondition(range.lowerBound >= 0 && range.upperBound <= count, "range outside the bytes")
        return Bytes(storage: storage, offset: offset + range.lowerBound, count: range.count)
    }

    /// Calls `body` with the memory, which is valid only until `body` returns.
    @inlinable
    public func withUnsafeBytes<Result, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        // If this is inlined, the last use of the storage could otherwise come before the last use of the memory in `body`.
        try withExtendedLifetime(storage) { () throws(Failure) -> Result in
            try body(UnsafeRawBufferPointer(start: storage.base.map { $0 + offset }, count: count))
        }
    }

    /// The bytes as an array.
    public var array: [UInt8] { withUnsafeBytes { Array($0) } }
}

extension Bytes: Equatable {
    /// Whether both hold the same bytes.
    public static func == (left: Bytes, right: Bytes) -> Bool {
        guard left.count == right.count else { return false }
        return left.withUnsafeBytes { a in
            right.withUnsafeBytes { b in
                guard let a = a.baseAddress, let b = b.baseAddress else { return true }
                return memcmp(a, b, left.count) == 0
            }
        }
    }
}
