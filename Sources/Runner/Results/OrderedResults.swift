import DLP

/// Brings results that arrive in any order into the order of the examples.
struct OrderedResults {
    /// A run under way: the items before `position` have been passed on.
    private struct Cursor {
        var run: ResultRun
        var position = 0
        var taken = 0
    }

    /// Runs by the index of the example that is next in them.
    private var waiting: [Int: Cursor] = [:]
    private(set) var next = 0

    /// Passes on, through `emit`, what has become complete from the beginning.
    mutating func add(
        _ run: ResultRun, emit: (_ index: Int, UnsafeRawBufferPointer) throws -> Void
    ) throws {
        guard run.count > 0 else { return }
        waiting[run.first] = Cursor(run: run)
        while var cursor = waiting.removeValue(forKey: next) {
            // A run without gaps is passed on whole.
            repeat {
                try pass(&cursor, emit)
                next += 1
            } while cursor.run.stride == 1 && cursor.taken < cursor.run.count
            if cursor.taken < cursor.run.count { waiting[next - 1 + cursor.run.stride] = cursor }
        }
    }

    private func pass(_ cursor: inout Cursor, _ emit: (Int, UnsafeRawBufferPointer) throws -> Void) throws {
        try cursor.run.results.withUnsafeBytes { buffer in
            var reader = CBORReader(buffer)
            reader.seek(to: cursor.position)
            try reader.skip()
            try emit(next, UnsafeRawBufferPointer(rebasing: buffer[cursor.position..<reader.position]))
            cursor.position = reader.position
        }
        cursor.taken += 1
    }
}
