/// How far a job came that ended before all was done, and how to go on.
struct IncompleteReport {
    /// How many examples are done or have failed for good.
    var done: Int
    /// How many of them have failed.
    var failures: Int
    /// How many there are, where that is known.
    var total: Int?
    /// What is missing because of it, as clauses.
    var consequences: [String] = []
    /// What they are called.
    var examples = "examples"
    /// Whether `done` counts those of rank 0 only: in mode `round-robin` the others do not say.
    var isOfRootOnly = false
    var hasJournal = false
    /// How to go on where that does not keep them.
    var remedy = "their results are lost, with a --journal the next start would go on"

    /// One line for the user, which begins with `what` has happened, and on whose wish where that is not clear.
    func text(_ what: String, as wish: String = "") -> String {
        let total = total.map { " of \($0)" } ?? ""
        let failed = failures > 0 ? ", \(failures) of which failed" : ""
        let place = isOfRootOnly ? " on rank 0 (in mode round-robin the others do not say)" : ""
        let goingOn =
            hasJournal
            ? "start again with the same --journal to go on"
            : remedy
        return (["\(what) after \(done)\(total) \(examples)\(failed)\(place)\(wish)"] + consequences + [goingOn])
            .joined(separator: "; ")
    }
}
