import CSystem
import Glibc

/// Merges the output of several writers into one text in which every line comes from one writer.
///
/// Bytes go in as they arrive; `takeOutput` returns what is to be written now. The text is changed in only two ways:
/// tags are added, and a newline where a writer left its line unfinished and another writer's text follows.
struct LineMux {
    /// The most bytes of an unfinished line that are held back.
    ///
    /// A longer line is passed on as it comes, and no other writer's text until it ends: the writer has the floor.
    private let longLine: Int
    /// The most bytes that are held back for a writer that waits for the floor.
    ///
    /// Beyond that it should not be read from.
    private let backlog: Int
    /// Whether a writer that returns to the beginning of its line, like a progress bar, is passed on at once like a
    /// prompt.
    private let redraws: Bool

    private struct Source {
        let tag: [UInt8]
        /// Whether unfinished lines are passed on at once, as needed for prompts; such a writer never has the floor.
        var isPrompt: Bool
        /// The bytes that are held back.
        var pending: [UInt8] = []
        /// The length of the complete lines in `pending`; more than 0 only while another writer has the floor.
        var whole = 0
        /// Whether the beginning of the current line has been passed on.
        var isWithinLine = false
        var isClosed = false
        /// Whether it is in `waiting`.
        var isWaiting = false
    }

    private var sources: [Source] = []
    private var output: [UInt8] = []
    /// The writer of a long line that has not ended yet.
    private(set) var floor: Int?
    /// The writer whose unfinished line is the end of the text.
    private var unfinished: Int?
    /// The writers that must wait until the floor changes, in order of arrival.
    ///
    /// They have complete lines or too much of a line, or have ended.
    private var waiting: [Int] = []

    /// Creates a merger without writers; `redraws` is for terminals.
    init(redraws: Bool = false, longLine: Int = 1 << 20, backlog: Int = 1 << 18) {
        self.redraws = redraws
        self.longLine = longLine
        self.backlog = backlog
    }

    /// Adds a writer; `tag` begins each of its lines.
    mutating func add(tag: String = "", isPrompt: Bool = false) -> Int {
        sources.append(Source(tag: Array(tag.utf8), isPrompt: isPrompt))
        return sources.count - 1
    }

    /// Whether the text so far is empty or ends with a newline.
    var isAtLineStart: Bool { unfinished == nil }

    /// Whether another writer waits for the one that has the floor.
    var isContended: Bool { floor != nil && !waiting.isEmpty }

    /// Whether `source` should not be read from before the floor changes.
    func isFull(_ source: Int) -> Bool { isBlocked(source) && sources[source].pending.count >= backlog }

    private func isBlocked(_ source: Int) -> Bool { floor != nil && floor != source }

    /// The number of bytes that `takeOutput` would return.
    var outputCount: Int { output.count }

    /// Returns what is to be written since the last call.
    mutating func takeOutput() -> [UInt8] {
        defer { output = [] }
        return output
    }

    /// Adds `bytes` that `source` wrote.
    mutating func write(_ bytes: UnsafeRawBufferPointer, from source: Int) {
        let whole = dlp_length_of_whole_lines(bytes.baseAddress, bytes.count)
        if isBlocked(source) {
            if whole > 0 { sources[source].whole = sources[source].pending.count + whole }
            sources[source].pending.append(contentsOf: bytes)
            if whole > 0 || isFull(source) { wait(source) }
            return
        }
        if whole > 0 {
            passPending(of: source)
            pass(UnsafeRawBufferPointer(rebasing: bytes[..<whole]), from: source)
            sources[source].isWithinLine = false
        }
        let beginning = UnsafeRawBufferPointer(rebasing: bytes[whole...])
        if redraws && beginning.contains(UInt8(ascii: "\r")) { sources[source].isPrompt = true }
        sources[source].pending.append(contentsOf: beginning)
        passBeginning(of: source)
        settleFloor(source)
    }

    /// Adds `text` that `source` wrote.
    mutating func write(_ text: String, from source: Int) {
        var text = text
        text.withUTF8 { write(UnsafeRawBufferPointer($0), from: source) }
    }

    /// Closes `source`; its unfinished text is passed on.
    mutating func close(_ source: Int) {
        guard !sources[source].isClosed else { return }
        sources[source].isClosed = true
        if isBlocked(source) {
            if !sources[source].pending.isEmpty { wait(source) }
            return
        }
        finish(source)
        settleFloor(source)
    }

    /// Takes the floor from a writer that has paused; its line is broken.
    mutating func breakFloor() {
        floor = nil
        serveWaiting()
    }

    // MARK: - The floor

    /// Gives the floor to `source`, or takes it away, after `source` has written.
    private mutating func settleFloor(_ source: Int) {
        let keepsIt = sources[source].isWithinLine && !sources[source].isPrompt && !sources[source].isClosed
        if keepsIt {
            floor = source
        } else if floor == source {
            floor = nil
            serveWaiting()
        }
    }

    private mutating func wait(_ source: Int) {
        if sources[source].isWaiting { return }
        sources[source].isWaiting = true
        waiting.append(source)
    }

    private mutating func serveWaiting() {
        while floor == nil, !waiting.isEmpty {
            let source = waiting.removeFirst()
            sources[source].isWaiting = false
            let whole = sources[source].whole
            if whole > 0 {
                let lines = sources[source].pending
                lines.withUnsafeBytes { pass(UnsafeRawBufferPointer(rebasing: $0[..<whole]), from: source) }
                sources[source].pending.removeFirst(whole)
                sources[source].whole = 0
                sources[source].isWithinLine = false
            }
            if sources[source].isClosed { finish(source) } else { passBeginning(of: source) }
            if sources[source].isWithinLine && !sources[source].isPrompt && !sources[source].isClosed {
                floor = source
            }
        }
    }

    /// Passes on the beginning of an unfinished line, unless it is to be held back.
    private mutating func passBeginning(of source: Int) {
        let held = sources[source].pending.count
        let isUrgent = sources[source].isPrompt || sources[source].isWithinLine || held >= longLine
        if held > 0 && isUrgent {
            passPending(of: source)
            sources[source].isWithinLine = true
        }
    }

    /// Passes on the rest of a source that has ended.
    private mutating func finish(_ source: Int) {
        passPending(of: source)
        if unfinished == source && !sources[source].tag.isEmpty {
            output.append(newline)
            unfinished = nil
        }
    }

    // MARK: - Text

    private mutating func passPending(of source: Int) {
        if sources[source].pending.isEmpty { return }
        let pending = sources[source].pending
        sources[source].pending = []
        pending.withUnsafeBytes { pass($0, from: source) }
    }

    private mutating func pass(_ bytes: UnsafeRawBufferPointer, from source: Int) {
        guard let last = bytes.last else { return }
        if let unfinished, unfinished != source {
            output.append(newline)
            self.unfinished = nil
        }
        if sources[source].tag.isEmpty {
            output.append(contentsOf: bytes)
        } else {
            passTagged(bytes, sources[source].tag)
        }
        unfinished = last == newline ? nil : source
    }

    private mutating func passTagged(_ bytes: UnsafeRawBufferPointer, _ tag: [UInt8]) {
        var rest = bytes
        var isLineStart = isAtLineStart
        while !rest.isEmpty {
            let length = lengthOfFirstLine(rest)
            if isLineStart { output.append(contentsOf: tag) }
            output.append(contentsOf: rest[..<length])
            rest = UnsafeRawBufferPointer(rebasing: rest[length...])
            isLineStart = true
        }
    }
}

private let newline = UInt8(ascii: "\n")

/// Returns the length of `bytes` up to and including the first newline; without one, the whole length.
private func lengthOfFirstLine(_ bytes: UnsafeRawBufferPointer) -> Int {
    guard let base = bytes.baseAddress, let first = memchr(base, Int32(newline), bytes.count) else {
        return bytes.count
    }
    return UnsafeRawPointer(first) - base + 1
}
