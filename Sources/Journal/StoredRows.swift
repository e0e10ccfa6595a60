public import DLP

/// What a journal held when the job began, by the stages of its script; each stage finds its examples there once.
public final class StoredRows {
    private var rows: [String?: [ExampleKey: JournalRow]]
    /// The `id` of the next stage's first new row; all rows that were there before have lower ones.
    private var nextRow: Int64
    /// The latest stage, whose list may still grow: the next one's rows come behind it.
    private var latest: ExampleLedger?
    /// What rows were made with, by the number that they have of it.
    private var versions: [Int64: CodeVersion]
    private let traces: [ExampleTrace]
    private let path: SystemString
    /// Whether what is done stays done, whatever it was made with.
    private let keeps: Bool
    /// What rows are made with where of the script only its text is known.
    private let plain: CodeVersion

    init(
        _ contents: JournalContents, _ versions: [Int64: CodeVersion], path: SystemString, keeps: Bool,
        _ identity: JournalIdentity
    ) {
        rows = contents.rows
        traces = contents.traces
        nextRow = (rows.values.lazy.flatMap { $0.values }.map(\.id).max() ?? 0) + 1
        self.versions = versions
        self.path = path
        self.keeps = keeps
        plain = CodeVersion(identity)
    }

    /// What the journal at `path` holds, for somebody who only looks: also while a job writes it.
    ///
    /// - Throws: `JournalError` where it cannot be read, or belongs to another job than `identity`.
    public convenience init(reading path: SystemString, for identity: JournalIdentity) throws(JournalError) {
        let reader = try JournalReader(path: path)
        if let objection = identity.objection(to: reader.identity, path: path) { throw JournalError(objection) }
        let contents = try reader.contents()
        if let flaw = reader.flaw(with: contents.broken) { throw JournalError("\(flaw); \(JournalPolicy.remedy)") }
        self.init(contents, reader.versions, path: path, keeps: false, identity)
    }

    /// The ledger of a stage; nil stands for the examples of the job itself.
    ///
    /// The stage before must have come to its end: rows are numbered one stage after another.
    ///
    /// - Parameter code: what its examples are done with; nil: the script, of which only the text is known.
    /// - Throws: `JournalError` where rows were made with something else, and nobody knows whether that matters.
    public func ledger(of stage: String? = nil, code: CodeVersion? = nil) throws(JournalError) -> ExampleLedger {
        var code = code ?? plain
        code.stage = stage
        if let latest { nextRow = latest.firstRow + Int64(latest.count) }
        let own = rows.removeValue(forKey: stage) ?? [:]
        var verdict = try verdict(on: own.values, by: code)
        let number = self.number(of: code)
        if versions[number] == nil {
            versions[number] = code
            verdict.records.append((number, code.encoded))
        }
        let done = own.values.lazy.filter { $0.isDone && $0.index != nil }
        let outdated = verdict.outdated
        let edit = ExampleLedger.Edit(
            isOfText: verdict.isOfText, outdated: done.count { outdated[$0.origin] != nil }, done: done.count,
            changes: outdated.isEmpty ? verdict.drift : Self.all(outdated),
            isUnmet: verdict.isOfReach && outdated.isEmpty)
        let isNews = verdict.isOfText || verdict.isOfReach || !verdict.drift.isEmpty || !outdated.isEmpty
        let ledger = ExampleLedger(
            own, of: stage, firstRow: nextRow, version: number, versions: verdict.records, outdated: outdated,
            edit: !keeps && isNews ? edit : nil, reach: code.graph == nil ? nil : code.reach)
        latest = ledger
        return ledger
    }

    /// What is found out about the rows of a stage.
    private struct Verdict {
        /// Whether the script's text has changed, and whether something has that its function reaches.
        var isOfText = false
        var isOfReach = false
        /// Values that have, and nothing else.
        var drift: [String] = []
        /// What has changed for those that are out of date.
        var outdated: [RowOrigin: [String]] = [:]
        /// What is to be written of what rows were made with.
        var records: [(number: Int64, version: Bytes)] = []
    }

    /// Judges rows by what their examples would be done with now.
    private func verdict(
        on rows: some Sequence<JournalRow>, by code: CodeVersion
    ) throws(JournalError) -> Verdict {
        var verdict = Verdict()
        var files = FileFacts()
        // What has failed is tried again in any case.
        let origins = Dictionary(grouping: Set(rows.map(\.origin)), by: \.version)
        for number in origins.keys.sorted() {
            let before = versions[number]
            let fit = before.map { code.fit($0) } ?? .unknown("its rows do not say what they were made with")
            if let before, !code.hasSameText(as: before) { verdict.isOfText = true }
            if !fit.isBelieved { verdict.isOfReach = true }
            if case .drifted(let names) = fit, !keeps { verdict.drift += names }
            let done = (origins[number] ?? []).filter { $0.trace >= 0 }
            if !keeps, !fit.isBelieved { try checkName(before, code) }
            for origin in done where !keeps {
                let trace = origin.trace > 0 ? traces[origin.trace - 1] : nil
                let changed = try changes(fit, since: before, code, trace) + files.changes(in: trace)
                if !changed.isEmpty { verdict.outdated[origin] = changed }
            }
            guard keeps || fit.isBelieved else { continue }
            // From now on they count as made with what there is now, which another text may stand in; but traces have the
            // numbers of what there was then.
            var next = code
            if done.contains(where: { $0.trace > 0 }), before?.graph?.layout != code.graph?.layout { next.graph = nil }
            guard next != before else { continue }
            versions[number] = next
            verdict.records.append((number, next.encoded))
        }
        return verdict
    }

    /// All that has changed, each once, since the latest version first.
    private static func all(_ outdated: [RowOrigin: [String]]) -> [String] {
        var known: Set<String> = []
        let sorted = outdated.sorted { ($0.key.version, $0.key.trace) > ($1.key.version, $1.key.trace) }
        return sorted.flatMap(\.value).filter { known.insert($0).inserted }
    }

    /// The number of a version: the one that it has, or a new one.
    private func number(of code: CodeVersion) -> Int64 {
        // 0 is that of rows which have none.
        versions.first { $0.key > 0 && $0.value == code }?.key ?? (versions.keys.max() ?? 0) + 1
    }

    /// Sees that an earlier version was one of the same script.
    private func checkName(_ earlier: CodeVersion?, _ code: CodeVersion) throws(JournalError) {
        // It may lie elsewhere now.
        guard let earlier, earlier.script.lastComponent != code.script.lastComponent else { return }
        throw JournalError(
            "the journal \(path) was made by \(earlier.script), not by \(code.script); \(JournalPolicy.remedy)")
    }

    /// What has changed since an earlier version of what was met, where that is known.
    ///
    /// - Throws: `JournalError` where nobody knows.
    private func changes(
        _ fit: CodeVersion.Fit, since earlier: CodeVersion?, _ code: CodeVersion, _ trace: ExampleTrace?
    ) throws(JournalError) -> [String] {
        if fit.isBelieved { return [] }
        if let earlier, let trace, let changes = code.changes(since: earlier, for: trace) { return changes }
        switch fit {
        case .same, .drifted: return []
        case .changed(let changes): return changes
        case .unknown(let reason):
            throw JournalError(
                "the journal \(path) was made by \(code.script) before it was changed, and nobody can tell which rows that "
                    + "concerns: \(reason); \(JournalPolicy.remedy)")
        }
    }
}

extension SystemString {
    /// What stands behind the last slash.
    fileprivate var lastComponent: ArraySlice<UInt8> {
        bytes.split(separator: UInt8(ascii: "/")).last ?? []
    }
}
