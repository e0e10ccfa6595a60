import DLP
import Journal
import Report

/// The view of a journal for a user who watches it.
struct JournalView {
    /// The journal, as the user has named it.
    var path: SystemString
    var look: JournalWatch.Look
    /// The present time, in seconds since 1970.
    var now: Double

    private var busy: [WatchedRank] { look.ranks.filter { $0.work != nil } }

    private var lost: [WatchedRank] { look.ranks.filter { $0.isLost } }

    private var name: String { look.stage.map { "\(path), stage \($0)" } ?? "\(path)" }

    /// How far the job is.
    private func progress(columns: Int? = nil, prefix: String = "") -> String {
        var state = ProgressState(
            done: look.done, total: look.total, failures: look.failed, busyRanks: busy.count, ranks: look.ranks.count,
            start: 0, now: 0, recentRate: look.isWritten ? look.rate ?? 0 : 0)
        state.lostRanks = lost.count
        return ProgressLine.render(state, columns: columns, prefix: prefix)
    }

    /// The progress in one line.
    var line: String { "\(progress(prefix: name))\(look.isWritten ? "" : "; no job writes it")" }

    /// Returns the lines of a screen with this number of columns and rows.
    func screen(columns: Int, rows: Int) -> [String] {
        var lines = [name, progress(columns: columns - 1)]
        if !lost.isEmpty {
            lines.append(
                "lost: \(lost.map { "rank \($0.rank)\($0.host.map { " (\($0))" } ?? "")" }.joined(separator: ", "))")
        }
        lines.append("")
        let failures = look.failures.prefix(max(0, min(look.failures.count, rows / 3 - 2)))
        // The lines that the last failures and the bottom line need.
        let reserved = (failures.isEmpty ? 0 : failures.count + 2) + 2
        lines += table(rows: rows - lines.count - reserved)
        if !failures.isEmpty {
            lines += ["", "the last that failed"]
            for (example, error) in failures {
                lines.append("  example \(example + 1): \(error.prefix { $0 != "\n" })")
            }
        }
        return lines + ["", "q ends this view, not the job"]
    }

    /// Returns a table of the ranks that have been at work the longest.
    private func table(rows: Int) -> [String] {
        guard !look.ranks.isEmpty else { return ["what ranks do is not known yet"] }
        let longest = busy.sorted { ($0.since, $0.rank) < ($1.since, $1.rank) }
        guard !longest.isEmpty else { return ["no rank is at work"] }
        guard rows > 1 else { return [] }
        var cells = [["rank", "host", "examples", "for"]]
        for state in longest.prefix(rows - 1) {
            guard let work = state.work else { continue }
            let examples = work.count == 1 ? "\(work.first + 1)" : "\(work.count) from \(work.first + 1) on"
            cells.append(["\(state.rank)", state.host ?? "", examples, Figures.clock(seconds: now - state.since)])
        }
        let widths = cells[0].indices.map { column in cells.map { $0[column].count }.max() ?? 0 }
        return cells.map { row in
            zip(row, widths).map { $0 + String(repeating: " ", count: $1 - $0.count) }.joined(separator: "   ")
        }
    }
}
