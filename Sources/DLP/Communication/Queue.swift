/// First in, first out, at constant cost each.
package struct Queue<Element> {
    private var elements: [Element?] = []
    private var head = 0

    /// An empty queue.
    package init() {}

    package var isEmpty: Bool { head == elements.count }

    package var first: Element? { isEmpty ? nil : elements[head] }

    package func contains(where isWanted: (Element) -> Bool) -> Bool {
        elements[head...].contains { $0.map(isWanted) ?? false }
    }

    package mutating func append(_ element: Element) { elements.append(element) }

    package mutating func popFirst() -> Element? {
        guard !isEmpty else { return nil }
        let element = elements[head].take()
        head += 1
        // Half of it is spent: moving the rest costs no more than what was popped.
        if head * 2 > elements.count {
            elements.removeFirst(head)
            head = 0
        }
        return element
    }
}

extension Queue: Sendable where Element: Sendable {}
