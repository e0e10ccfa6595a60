import Journal

extension JournalReader {
    /// Returns the stage of this name, or else the only stage.
    ///
    /// - Throws: `UsageError` where there are several, or none of that name.
    func onlyStage(_ named: String?) throws -> String? {
        if let named {
            try check(named)
            return named
        }
        let stages = try stages()
        guard stages.count > 1 else { return stages.first ?? nil }
        throw UsageError(
            "the journal has several stages, and only one of them can be meant: --stage NAME says which of "
                + Self.list(stages))
    }

    /// Checks that there is a stage of this name.
    ///
    /// - Throws: `UsageError` where there is none.
    func check(_ named: String) throws {
        let stages = try stages()
        // A stage without rows may have begun.
        guard !stages.contains(named), lengths[named] == nil else { return }
        let others = stages.isEmpty ? "" : ", but: \(Self.list(stages))"
        throw UsageError("the journal has no stage \(named)\(others)")
    }

    private static func list(_ stages: [String?]) -> String {
        stages.map { $0 ?? "(of the job itself)" }.joined(separator: ", ")
    }
}
