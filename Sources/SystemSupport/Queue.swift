/// First in, first out, at constant cost each.
///
/// Inlinable, since queues of other modules would otherwise look up the type of their elements at each use.
@usableFromInline
package struct Queue<Element> {
    @usableFromInline var elements: [Element?] = []
    @usableFromInline var head = 0

    /// An empty queue.
    @inlinable
    package init() {}

    @inlinable package var isEmpty: Bool { head == elements.count }

    @inlinable package var first: Element? { isEmpty ? nil : elements[head] }

    @inlinable
    package func first(where isWanted: (Element) -> Bool) -> Element? {
        for case let element? in elements[head...] where isWanted(element) { return element }
        return nil
    }

    @inlinable
    package mutating func append(_ element: Element) { elements.append(element) }

    @inlinable
    package mutating func popFirst() -> Element? {
        guard !isEmpty else { return nil }
        let element = elements[head].take()
        head += 1
        // Half of it is spent: moving the rest costs no more than what was popped. Most queues are short and soon empty.
        if elements.count == 1 {
            elements.removeLast()
            head = 0
        } else if isEmpty, head <= Self.shortest {
            elements.removeAll(keepingCapacity: true)
            head = 0
        } else if head > Self.shortest, head * 2 > elements.count {
            elements = Array(elements[head...])
            head = 0
        }
        return element
    }

    /// A queue with at most this many spent elements is not worth moving.
    @inlinable static var shortest: Int { 64 }
}

extension Queue: Sendable where Element: Sendable {}
