public import DLP

/// The contents of a journal when the job began, by stage of its script.
///
/// Each stage looks up its examples here once.
public final class StoredRows {
    private var rows: [String?: [ExampleKey: JournalRow]]
    /// The `id` of the next stage's first new row; all rows from before have lower ones.
    private var nextRow: Int64
    /// The latest stage.
    ///
    /// Its list may still grow, so rows of the next stage must come after its rows.
    private var latest: ExampleLedger?
    /// The code versions of rows, by number.
    private var versions: [Int64: CodeVersion]
    private let traces: [ExampleTrace]
    private let path: SystemString
    /// Whether finished examples stay finished, whatever they were made with.
    private let keeps: Bool
    /// The version of rows where only the text of the script is known.
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

    /// Reads the journal at `path` without changing it, also while a job writes it.
    ///
    /// - Throws: `JournalError` where it cannot be read, or belongs to another job than `identity`.
    public convenience init(reading path: SystemString, for identity: JournalIdentity) throws(JournalError) {
        let reader = try JournalReader(path: path)
        if let objection = identity.objection(to: reader.identity, path: path) { throw JournalError(objection) }
        let contents = try reader.contents()
        if let flaw = reader.flaw(with: contents.broken) { throw JournalError("\(flaw); \(JournalPolicy.remedy)") }
        self.init(contents, reader.versions, path: path, keeps: false, identity)
    }

    /// Returns the ledger of a stage; nil stands for the examples of the job itself.
    ///
    /// The stage before it must have ended, because rows are numbered one stage after another.
    ///
    /// - Parameter code: the version with which its examples are done; nil: only the text of the script is known.
    /// - Throws: `JournalError` where rows were made with another version, and it cannot be known whether that matters.
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

    /// The findings about the rows of a stage.
    private struct Verdict {
        /// Whether the script's text has changed, and whether something has changed that its function reaches.
        var isOfText = false
        var isOfReach = false
        /// Values that have changed, where nothing else has.
        var drift: [String] = []
        /// What has changed for the rows that are outdated.
        var outdated: [RowOrigin: [String]] = [:]
        /// The code versions of rows that must be written.
        var records: [(number: Int64, version: Bytes)] = []
    }

    /// Checks rows against the code with which their examples would be done now.
    private func verdict(
        on rows: some Sequence<JournalRow>, by code: CodeVersion
    ) throws(JournalError) -> Verdict {
        var verdict = Verdict()
        var files = FileFacts()
        // Failed examples are tried again in any case.
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
            // From now on these rows count as made with the current version, which may have another text. But the numbers
            // in their traces are those of the old version's parts, so a graph of another layout must not be stored with
            // them.
            var next = code
            if done.contains(where: { $0.trace > 0 }), before?.graph?.layout != code.graph?.layout { next.graph = nil }
            guard next != before else { continue }
            versions[number] = next
            verdict.records.append((number, next.encoded))
        }
        return verdict
    }

    /// Everything that has changed, each change once, those since the latest version first.
    private static func all(_ outdated: [RowOrigin: [String]]) -> [String] {
        var known: Set<String> = []
        let sorted = outdated.sorted { ($0.key.version, $0.key.trace) > ($1.key.version, $1.key.trace) }
        return sorted.flatMap(\.value).filter { known.insert($0).inserted }
    }

    /// The number of a version: its existing one, or a new one.
    private func number(of code: CodeVersion) -> Int64 {
        // The number 0 means rows without a version.
        versions.first { $0.key > 0 && $0.value == code }?.key ?? (versions.keys.max() ?? 0) + 1
    }

    /// Checks that an earlier version belongs to the same script.
    private func checkName(_ earlier: CodeVersion?, _ code: CodeVersion) throws(JournalError) {
        // The script may have moved to another directory, so only its file name counts.
        guard let earlier, earlier.script.lastComponent != code.script.lastComponent else { return }
        throw JournalError(
            "the journal \(path) was made by \(earlier.script), not by \(code.script); \(JournalPolicy.remedy)")
    }

    /// What has changed, since an earlier version, of the things that an example has met, where that is known.
    ///
    /// - Throws: `JournalError` where it is not known.
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
    /// The name after the last slash.
    fileprivate var lastComponent: ArraySlice<UInt8> {
        bytes.split(separator: UInt8(ascii: "/")).last ?? []
    }
}
