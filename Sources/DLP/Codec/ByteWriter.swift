#if canImport(Glibc)
    import Glibc
#endif

/// A buffer that grows by doubling and gives its memory away without a copy.
public struct ByteWriter: ~Copyable {
    private var base: UnsafeMutableRawPointer?
    private var capacity: Int
    /// How many bytes have been written.
    public private(set) var count = 0

    /// An empty buffer with room for `capacity` bytes.
    public init(capacity: Int = 0) {
        base = capacity > 0 ? malloc(capacity) : nil
        self.capacity = base == nil ? 0 : capacity
    }

    deinit { free(base) }

    /// Makes room for `additional` more bytes.
    @inline(__always)
    public mutating func reserve(_ additional: Int) {
        if count + additional > capacity { grow(additional) }
    }

    @inline(never)
    private mutating func grow(_ additional: Int) {
        let wanted = max(count + additional, capacity * 2, 64)
        guard let grown = realloc(base, wanted) else {
            preconditionFailure("out of memory: cannot grow a buffer to \(wanted) bytes")
        }
        base = grown
        capacity = wanted
    }

    /// Adds one byte.
    @inline(__always)
    public mutating func append(_ byte: UInt8) {
        reserve(1)
        base.unsafelyUnwrapped.storeBytes(of: byte, toByteOffset: count, as: UInt8.self)
        count += 1
    }

    /// Adds an integer, most significant byte first.
    @inline(__always)
    public mutating func append(bigEndian value: some FixedWidthInteger) { append(raw: value.bigEndian) }

    /// Adds an integer, least significant byte first.
    @inline(__always)
    public mutating func append(littleEndian value: some FixedWidthInteger) { append(raw: value.littleEndian) }

    @inline(__always)
    private mutating func append<Value: FixedWidthInteger>(raw value: Value) {
        reserve(MemoryLayout<Value>.size)
        base.unsafelyUnwrapped.storeBytes(of: value, toByteOffset: count, as: Value.self)
        count += MemoryLayout<Value>.size
    }

    /// Adds a copy of the bytes at `buffer`.
    @inline(__always)
    public mutating func append(contentsOf buffer: UnsafeRawBufferPointer) {
        guard let source = buffer.baseAddress, buffer.count > 0 else { return }
        reserve(buffer.count)
        memcpy(base.unsafelyUnwrapped + count, source, buffer.count)
        count += buffer.count
    }

    /// Adds a copy of `bytes`.
    public mutating func append(_ bytes: Bytes) { bytes.withUnsafeBytes { append(contentsOf: $0) } }

    /// The bytes written so far, to read or to patch; valid only until `body` returns.
    public mutating func withUnsafeMutableBytes<Result>(_ body: (UnsafeMutableRawBufferPointer) -> Result) -> Result {
        body(UnsafeMutableRawBufferPointer(start: base, count: count))
    }

    /// Drops everything behind the first `length` bytes.
    public mutating func truncate(to length: Int) {
        precondition(length >= 0 && length <= count, "cannot truncate to more than there is")
        count = length
    }

    /// The bytes written, without a copy; the writer is empty again.
    public mutating func take() -> Bytes {
        let bytes = Bytes(adopting: base, count: count)
        base = nil
        capacity = 0
        count = 0
        return bytes
    }

    /// The bytes written, without a copy.
    public consuming func finish() -> Bytes { take() }
}
