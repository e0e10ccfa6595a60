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
    private let path: SystemString
    /// Whether what is done stays done, whatever it was made with.
    private let keeps: Bool
    /// What rows are made with where of the script only its text is known.
    private let plain: CodeVersion

    init(
        _ rows: [String?: [ExampleKey: JournalRow]], _ versions: [Int64: CodeVersion], path: SystemString, keeps: Bool,
        _ identity: JournalIdentity
    ) {
        self.rows = rows
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
        var rows: [String?: [ExampleKey: JournalRow]] = [:]
        let broken = try reader.forEachRow { key, row, stage, _ in rows[stage, default: [:]][key] = row }
        if let flaw = reader.flaw(with: broken) { throw JournalError("\(flaw); \(JournalPolicy.remedy)") }
        self.init(rows, reader.versions, path: path, keeps: false, identity)
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
        var (records, outdated): ([(number: Int64, version: Bytes)], [Int64: [String]]) = ([], [:])
        var (isOfText, drift): (Bool, [String]) = (false, [])
        for number in Set(own.values.map(\.version)).sorted() {
            let fit = versions[number].map { code.fit($0) } ?? .unknown("its rows do not say what they were made with")
            if let before = versions[number], !code.hasSameText(as: before) { isOfText = true }
            if case .drifted(let names) = fit, !keeps {
                drift += names
                versions[number] = code
                records.append((number, code.encoded))
            } else if fit != .same, !keeps {
                outdated[number] = try changes(fit, since: versions[number], code)
            } else if versions[number] != code {
                // From now on they count as made with what there is now, which another text may stand in.
                versions[number] = code
                records.append((number, code.encoded))
            }
        }
        let number = self.number(of: code)
        if versions[number] == nil {
            versions[number] = code
            records.append((number, code.encoded))
        }
        let done = own.values.lazy.filter { $0.isDone && $0.index != nil }
        let edit = ExampleLedger.Edit(
            isOfText: isOfText, outdated: done.count { outdated[$0.version] != nil }, done: done.count,
            changes: outdated.isEmpty ? drift : Self.all(outdated))
        let ledger = ExampleLedger(
            own, of: stage, firstRow: nextRow, version: number, versions: records, outdated: outdated,
            edit: !keeps && (isOfText || !drift.isEmpty || !outdated.isEmpty) ? edit : nil)
        latest = ledger
        return ledger
    }

    /// All that has changed, each once, since the latest version first.
    private static func all(_ outdated: [Int64: [String]]) -> [String] {
        var known: Set<String> = []
        return outdated.sorted { $0.key > $1.key }.flatMap(\.value).filter { known.insert($0).inserted }
    }

    /// The number of a version: the one that it has, or a new one.
    private func number(of code: CodeVersion) -> Int64 {
        // 0 is that of rows which have none.
        versions.first { $0.key > 0 && $0.value == code }?.key ?? (versions.keys.max() ?? 0) + 1
    }

    /// What has changed since an earlier version.
    ///
    /// - Throws: `JournalError` where its rows are another script's, or where nobody knows.
    private func changes(
        _ fit: CodeVersion.Fit, since earlier: CodeVersion?, _ code: CodeVersion
    ) throws(JournalError) -> [String] {
        // It may lie elsewhere now.
        if let earlier, earlier.script.lastComponent != code.script.lastComponent {
            throw JournalError(
                "the journal \(path) was made by \(earlier.script), not by \(code.script); \(JournalPolicy.remedy)")
        }
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
