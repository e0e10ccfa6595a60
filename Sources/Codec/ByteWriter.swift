import CSystem

#if canImport(Glibc)
    import Glibc
#endif

/// A buffer that grows by doubling and gives its memory away without a copy.
public struct ByteWriter: ~Copyable {
    @usableFromInline var base: UnsafeMutableRawPointer?
    @usableFromInline var capacity: Int
    @usableFromInline var used = 0
    /// The capacity, in bytes, from which the memory is such that other processes of this host can share it, once it is
    /// complete.
    private var sharedFrom = Int.max
    /// The descriptor of shareable memory; -1 for other memory.
    private var descriptor: Int32 = -1

    /// How many bytes have been written.
    @inlinable public var count: Int { used }

    /// An empty buffer with room for `capacity` bytes.
    public init(capacity: Int = 0) {
        base = capacity > 0 ? dlp_realloc(nil, capacity) : nil
        self.capacity = base == nil ? 0 : capacity
    }

    deinit { release() }

    /// Puts what is written next, if it is at least `length` bytes, into memory that other processes of this host can share.
    package mutating func share(from length: Int) { sharedFrom = length }

    /// Makes room for `additional` more bytes.
    @inlinable @inline(__always)
    public mutating func reserve(_ additional: Int) {
        if additional > capacity &- used { grow(additional) }
    }

    @usableFromInline @inline(never)
    mutating func grow(_ additional: Int) {
        let wanted = max(used + additional, capacity * 2, 64)
        if wanted >= sharedFrom, growShared(wanted) { return }
        let isShared = descriptor >= 0
        guard let grown = dlp_realloc(isShared ? nil : base, wanted) else { dlp_quit_without_memory(wanted) }
        if isShared { move(to: grown) }
        base = grown
        capacity = wanted
    }

    /// Grows within shareable memory, or moves there; returns false if the system provides none.
    private mutating func growShared(_ wanted: Int) -> Bool {
        if descriptor >= 0 {
            guard let grown = dlp_grow_memory_file(descriptor, base, capacity, wanted) else { return false }
            base = grown
        } else {
            let file = dlp_memory_file("dlp-body", wanted, dlp_promise_nothing)
            guard file >= 0 else { return false }
            guard let grown = dlp_grow_memory_file(file, nil, 0, wanted) else {
                close(file)
                return false
            }
            move(to: grown)
            base = grown
            descriptor = file
        }
        capacity = wanted
        return true
    }

    /// Copies what was written to `place`, and releases the old memory.
    private mutating func move(to place: UnsafeMutableRawPointer) {
        if let base { place.copyMemory(from: base, byteCount: used) }
        release()
        (base, descriptor) = (nil, -1)
    }

    private func release() {
        guard descriptor >= 0 else { return dlp_free(base, capacity) }
        munmap(base, capacity)
        close(descriptor)
    }

    /// Adds one byte.
    @inlinable @inline(__always)
    public mutating func append(_ byte: UInt8) {
        reserve(1)
        base.unsafelyUnwrapped.storeBytes(of: byte, toByteOffset: used, as: UInt8.self)
        used &+= 1
    }

    /// Adds an integer, most significant byte first.
    @inlinable @inline(__always)
    public mutating func append(bigEndian value: some FixedWidthInteger) { append(raw: value.bigEndian) }

    /// Adds an integer, least significant byte first.
    @inlinable @inline(__always)
    public mutating func append(littleEndian value: some FixedWidthInteger) { append(raw: value.littleEndian) }

    @inlinable @inline(__always)
    mutating func append<Value: FixedWidthInteger>(raw value: Value) {
        reserve(MemoryLayout<Value>.size)
        base.unsafelyUnwrapped.storeBytes(of: value, toByteOffset: used, as: Value.self)
        used &+= MemoryLayout<Value>.size
    }

    /// Adds a copy of the bytes at `buffer`.
    @inlinable @inline(__always)
    public mutating func append(contentsOf buffer: UnsafeRawBufferPointer) {
        guard let source = buffer.baseAddress, buffer.count > 0 else { return }
        guard buffer.count < Self.large else { return appendLarge(buffer) }
        reserve(buffer.count)
        Self.copy(source, to: base.unsafelyUnwrapped + used, count: buffer.count)
        used &+= buffer.count
    }

    /// Adds `count` bytes, which `body` writes at the given address.
    @inlinable @inline(__always)
    public mutating func append(count: Int, _ body: (UnsafeMutableRawPointer) -> Void) {
        reserve(count)
        if count >= Self.large { populate(count) }
        body(base.unsafelyUnwrapped + used)
        used &+= count
    }

    /// The number of bytes from which it pays to ask the system for the pages of shared memory beforehand.
    @usableFromInline static let large = 1 << 20

    /// Adds a copy of many bytes.
    @usableFromInline @inline(never)
    mutating func appendLarge(_ buffer: UnsafeRawBufferPointer) {
        reserve(buffer.count)
        let target = UnsafeMutableRawBufferPointer(start: base.unsafelyUnwrapped + used, count: buffer.count)
        // The system fills new pages of a file in half the time of writing to them where they are mapped.
        if descriptor < 0 || dlp_write_memory_file(descriptor, used, buffer.baseAddress, buffer.count) != 0 {
            target.copyMemory(from: buffer)
        }
        used &+= buffer.count
    }

    /// Asks for the pages of the next `count` bytes, if the memory can be shared.
    ///
    /// Without that, each new page would interrupt the writing.
    @usableFromInline @inline(never)
    mutating func populate(_ count: Int) {
        if descriptor >= 0 { dlp_populate_memory_file(base.unsafelyUnwrapped, used, count) }
    }

    /// Copies bytes.
    ///
    /// A few bytes, as in most keys, are copied without a function call.
    @inlinable @inline(__always)
    static func copy(_ source: UnsafeRawPointer, to target: UnsafeMutableRawPointer, count: Int) {
        switch count {
        case 8...16: copyEnds(source, to: target, count: count, as: UInt64.self)
        case 4..<8: copyEnds(source, to: target, count: count, as: UInt32.self)
        default: target.copyMemory(from: source, byteCount: count)
        }
    }

    /// Copies the first and the last bytes, each as many as a `Word` has; the two may overlap.
    @inlinable @inline(__always)
    static func copyEnds<Word: FixedWidthInteger & BitwiseCopyable>(
        _ source: UnsafeRawPointer, to target: UnsafeMutableRawPointer, count: Int, as _: Word.Type
    ) {
        let last = count &- MemoryLayout<Word>.size
        let (head, tail) = (source.loadUnaligned(as: Word.self), (source + last).loadUnaligned(as: Word.self))
        target.storeBytes(of: head, as: Word.self)
        (target + last).storeBytes(of: tail, as: Word.self)
    }

    /// Adds a copy of `bytes`.
    public mutating func append(_ bytes: Bytes) { bytes.withUnsafeBytes { append(contentsOf: $0) } }

    /// The bytes written so far, to read or to patch; valid only until `body` returns.
    public mutating func withUnsafeMutableBytes<Result>(_ body: (UnsafeMutableRawBufferPointer) -> Result) -> Result {
        body(UnsafeMutableRawBufferPointer(start: base, count: used))
    }

    /// Drops everything after the first `length` bytes.
    public mutating func truncate(to length: Int) {
        precondition(length >= 0 && length <= used, "cannot truncate to more than there is")
        used = length
    }

    /// Returns the bytes written, without a copy; the writer is then empty.
    public mutating func take() -> Bytes {
        let bytes = descriptor < 0 ? Bytes(adopting: base, count: used) : finishShared()
        sharedFrom = .max
        descriptor = -1
        base = nil
        capacity = 0
        used = 0
        return bytes
    }

    /// Returns the bytes written, in memory that can no longer be changed.
    private func finishShared() -> Bytes {
        guard used > 0 else {
            release()
            return .empty
        }
        guard let mapped = dlp_finish_memory_file(descriptor, base, capacity, used) else {
            dlp_quit_without_memory(used)
        }
        return Bytes(mappedAt: mapped, count: used, of: descriptor)
    }

    /// Returns the bytes written, without a copy.
    public consuming func finish() -> Bytes { take() }
}
