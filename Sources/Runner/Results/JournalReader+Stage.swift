import Journal

extension JournalReader {
    /// The stage that is meant: the one that was named, or else the only one.
    ///
    /// - Throws: `UsageError` where there are several, or none of that name.
    func onlyStage(_ named: String?) throws -> String? {
        let stages = try stages()
        let names = stages.map { $0 ?? "(of the job itself)" }.joined(separator: ", ")
        if let named {
            guard stages.contains(named) else { throw UsageError("the journal has no stage \(named), but: \(names)") }
            return named
        }
        guard stages.count > 1 else { return stages.first ?? nil }
        throw UsageError(
            "the journal has several stages, and only one of them can be meant: --stage NAME says which of \(names)")
    }
}
