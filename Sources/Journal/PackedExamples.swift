import DLP

/// Encoded examples, one after another, with little memory beyond their own size.
struct PackedExamples {
    private struct Batch {
        var bytes: [UInt8] = []
        /// Where each example ends.
        var ends: [UInt32] = []
    }

    private var batches: [Batch] = []

    /// How many examples are in a batch.
    ///
    /// Complete batches are not copied when more examples come.
    private static let batchSize = 4096
    /// Longer examples are not kept, in bytes: a list of them would take as much memory again.
    private static let longest = 64 << 10

    /// Adds the next example; nil if it will not be asked for.
    mutating func append(_ example: UnsafeRawBufferPointer?) {
        if batches.last?.ends.count ?? Self.batchSize == Self.batchSize { batches.append(Batch()) }
        let last = batches.count - 1
        if let example, example.count <= Self.longest { batches[last].bytes.append(contentsOf: example) }
        batches[last].ends.append(UInt32(batches[last].bytes.count))
    }

    /// Appends the example at `index` to `writer`; nothing if it was not kept.
    func append(at index: Int, to writer: inout ByteWriter) {
        let (batch, place) = (index / Self.batchSize, index % Self.batchSize)
        let start = place == 0 ? 0 : Int(batches[batch].ends[place - 1])
        let end = Int(batches[batch].ends[place])
        batches[batch].bytes.withUnsafeBytes {
            writer.append(contentsOf: UnsafeRawBufferPointer(rebasing: $0[start..<end]))
        }
    }
}
