/// Examples to be handed out, or with a worker, and what is known against them.
@usableFromInline struct WorkUnit: Sendable, Hashable {
    @usableFromInline var chunk: Chunk
    /// Set where one of them may kill the rank that works on it.
    var suspicion: Suspicion?

    init(_ chunk: Chunk, suspicion: Suspicion? = nil) {
        self.chunk = chunk
        self.suspicion = suspicion
    }

    /// How many of the examples may be handed out at a time.
    var portion: Int { suspicion?.portion ?? .max }

    /// The same examples after they were under work on a rank that died, which was the death number `death`.
    func suspected(of death: Int) -> WorkUnit {
        // One at a time, so that the next death shows which one it is. With very many examples that would take for
        // ever, so these go out in larger portions, and it takes one more death.
        let portion = (chunk.count + Self.mostPortions - 1) / Self.mostPortions
        let suspicion = Suspicion(deaths: (suspicion?.deaths ?? 0) + 1, death: death, portion: max(1, portion))
        return WorkUnit(chunk, suspicion: suspicion)
    }

    private static let mostPortions = 1000
}

/// The suspicion against examples that were under work on a rank that died.
struct Suspicion: Sendable, Hashable {
    /// How many ranks died that had them under work.
    var deaths: Int
    /// The latest of these deaths.
    ///
    /// It is not known which of the examples that share it is to blame.
    var death: Int
    /// How many of them may be handed out at a time.
    var portion: Int
}
