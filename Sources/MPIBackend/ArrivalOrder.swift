import DLP

/// Keeps the messages of each rank in the order in which they were sent, although a large one is complete only after
/// smaller ones that follow it.
struct ArrivalOrder {
    /// A place in the line of one rank's messages.
    struct Place: Hashable {
        fileprivate let source: Int
        fileprivate let number: UInt64
    }

    /// The messages of one rank from the first one that is not complete on.
    private struct Line {
        var firstNumber: UInt64 = 0
        var messages: [Message?] = []
    }

    private var lines: [Int: Line] = [:]
    private var complete = Queue<(Message, Int)>()

    /// Takes the next complete message; all that its rank has sent before it is complete, too.
    mutating func popFirst() -> (message: Message, source: Int)? { complete.popFirst() }

    /// Whether a message of this kind waits to be taken.
    func has(_ kind: Message.Kind) -> Bool { complete.first { $0.0.kind == kind } != nil }

    /// A complete message has come.
    mutating func append(_ message: Message, from source: Int) {
        if lines.isEmpty || lines[source] == nil {
            complete.append((message, source))
        } else {
            lines[source]?.messages.append(message)
        }
    }

    /// A message has begun to come; what its rank sends after it waits for it.
    mutating func begin(from source: Int) -> Place {
        var line = lines[source] ?? Line()
        line.messages.append(nil)
        lines[source] = line
        return Place(source: source, number: line.firstNumber + UInt64(line.messages.count - 1))
    }

    /// A message that had begun is complete.
    mutating func finish(_ place: Place, _ message: Message) {
        guard var line = lines.removeValue(forKey: place.source) else { return }
        line.messages[Int(place.number - line.firstNumber)] = message
        let ready = line.messages.prefix { $0 != nil }
        for case let message? in ready { complete.append((message, place.source)) }
        line.messages.removeFirst(ready.count)
        line.firstNumber += UInt64(ready.count)
        if !line.messages.isEmpty { lines[place.source] = line }
    }
}
