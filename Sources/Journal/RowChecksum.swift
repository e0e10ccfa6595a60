import DLP

/// A checksum over the contents of a journal's row.
///
/// It detects a row that was damaged or changed. The number of the example, which changes when the list does, is added at the
/// end, so that SQL can update the checksum; everything else goes through a hash.
struct RowChecksum {
    /// The types of the hashed values, which count, too.
    private enum Kind: UInt64 {
        case null
        case integer
        case real
        case text
        case blob
    }

    private var mixer = DigestMixer(seed: 0x646C_706A)
    private var count = 0

    mutating func add(_ number: Int64?) {
        guard let number else { return add(.null, 0) }
        add(.integer, UInt64(bitPattern: number))
    }

    mutating func add(_ number: Double?) {
        guard let number else { return add(.null, 0) }
        add(.real, number.bitPattern)
    }

    mutating func add(_ text: String?) {
        guard var text else { return add(.null, 0) }
        text.withUTF8 { add(text: UnsafeRawBufferPointer($0)) }
    }

    mutating func addNull() { add(.null, 0) }

    mutating func add(text: UnsafeRawBufferPointer) {
        add(.text, UInt64(text.count))
        mixer.add(text)
    }

    mutating func add(blob: UnsafeRawBufferPointer) {
        add(.blob, UInt64(blob.count))
        mixer.add(blob)
    }

    /// Adds a column of the statement's current row, of any type.
    mutating func add(_ column: Int32, of statement: Statement) {
        switch statement.kind(column) {
        case .null: addNull()
        case .integer: add(statement.integer(column))
        case .real: add(statement.double(column))
        case .text: statement.withBytes(column) { add(text: $0) }
        case .blob: statement.withBytes(column) { add(blob: $0) }
        }
    }

    private mutating func add(_ kind: Kind, _ value: UInt64) {
        mixer.add(kind.rawValue, value)
        count += 1
    }

    /// The checksum of a row whose example currently has this number, from 1.
    func value(example: Int64?) -> Int64 {
        // Two bits are left free, because the sum must not become a floating-point number in SQL.
        Int64(mixer.finish(count: count).high >> 2) + (example ?? 0)
    }

    /// Updates the checksum of a row whose example gets the number ?1.
    static let move = "checksum = checksum - ifnull(example, 0) + ifnull(?1, 0)"
}
