import DLP

/// Encoded examples, one after another, in little more memory than they take themselves.
struct PackedExamples {
    private struct Batch {
        var bytes: [UInt8] = []
        /// Where each example ends.
        var ends: [UInt32] = []
    }

    private var batches: [Batch] = []

    /// How many are in a batch: what has grown is not copied when more come.
    private static let batchSize = 4096
    /// Longer ones are not kept: a list of those would take as much memory again.
    private static let longest = 64 << 10

    /// Adds the next one; nil where nobody will ask for it.
    mutating func append(_ example: UnsafeRawBufferPointer?) {
        if batches.last?.ends.count ?? Self.batchSize == Self.batchSize { batches.append(Batch()) }
        let last = batches.count - 1
        if let example, example.count <= Self.longest { batches[last].bytes.append(contentsOf: example) }
        batches[last].ends.append(UInt32(batches[last].bytes.count))
    }

    /// Appends the one at `index` to `writer`; nothing where it was not kept.
    func append(at index: Int, to writer: inout ByteWriter) {
        let (batch, place) = (index / Self.batchSize, index % Self.batchSize)
        let start = place == 0 ? 0 : Int(batches[batch].ends[place - 1])
        let end = Int(batches[batch].ends[place])
        batches[batch].bytes.withUnsafeBytes {
            writer.append(contentsOf: UnsafeRawBufferPointer(rebasing: $0[start..<end]))
        }
    }
}
