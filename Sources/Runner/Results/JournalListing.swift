import DLP
import Glibc
import Journal
import Report

/// What `--results` does: it shows what a journal holds, also while a job writes it.
struct JournalListing {
    private let reader: JournalReader
    private let stage: String?
    /// The fields to show besides the results; nil: the usual ones.
    private let fields: [ResultField]?

    /// Shows the journal at `path`, or writes its results to the file of `--output`; only of one stage where it is
    /// named.
    ///
    /// - Returns: what is wrong with the journal.
    static func run(path: SystemString, stage: String?, _ options: JobOptions) throws -> String? {
        let output = options.output
        try FileClash.check([("--results", path), ("--output", output)])
        if options.with != nil, let output, PageFile.isNamed(by: output) {
            throw UsageError("--with is for .jsonl, .json and .csv: the page \(output) has all of it")
        }
        let listing = JournalListing(reader: try JournalReader(path: path), stage: stage, fields: options.with)
        guard let output else { return try listing.show() }
        return PageFile.isNamed(by: output)
            ? try JournalPage(listing.reader, stage: stage).write(to: output) : try listing.export(to: output)
    }

    /// The value written to files where there is no result.
    private static let null = Bytes([0xf6])

    /// Prints one line of JSON for each row.
    ///
    /// - Returns: what is wrong with the journal.
    private func show() throws -> String? {
        if let stage { try reader.check(stage) }
        return try reader.forEach { record in
            guard stage == nil || record.stage == stage else { return }
            var line = ByteWriter()
            line.append(utf8: "{")
            if let stage = record.stage {
                line.append(utf8: "\"stage\":")
                line.appendJSON(stage)
                line.append(utf8: ",")
            }
            line.append(utf8: "\"index\":\(record.index.map { "\($0 + 1)" } ?? "null"),")
            if record.result != nil {
                line.append(utf8: "\"state\":\"done\",\"result\":\(record.json ?? "null")")
            } else {
                line.append(utf8: "\"state\":\"failed\",\"error\":")
                line.appendJSON(record.error ?? "")
            }
            if let fields {
                record.facts.appendMembers(fields, to: &line)
            } else {
                Self.appendUsual(record, to: &line)
            }
            if let input = record.input { line.append(utf8: ",\"input\":\(input)") }
            line.append(utf8: "}")
            print(String(decoding: line.finish().array, as: UTF8.self))
        }
    }

    private static func appendUsual(_ record: JournalReader.Record, to line: inout ByteWriter) {
        if let seconds = record.seconds { line.append(utf8: ",\"seconds\":\(seconds)") }
        if let rank = record.rank { line.append(utf8: ",\"rank\":\(rank)") }
        if let host = record.host {
            line.append(utf8: ",\"host\":")
            line.appendJSON(host)
        }
        if let attempts = record.attempts { line.append(utf8: ",\"attempts\":\(attempts)") }
    }

    /// Writes the file that the job itself would write if it ended now.
    ///
    /// Results that are missing, or that the format cannot hold, are null.
    ///
    /// - Returns: what is wrong with the journal.
    private func export(to path: SystemString) throws -> String? {
        let stage = try reader.onlyStage(stage)
        let length = reader.lengths[stage]
        var writer = try ResultWriter(path: path)
        writer.fields = fields ?? []
        var (end, done, failed) = (length ?? 0, 0, 0)
        var misfits: [String] = []
        var next = 0
        let flaws = try reader.forEach { record in
            // In a list that is being read anew, an older example may still occupy the index of a newer one.
            guard record.stage == stage, let index = record.index, index >= next else { return }
            next = index + 1
            // A list may be cut while it is read.
            end = max(end, index + 1)
            if let result = record.result {
                do throws(ReportError) { try writer.append(index: index, item: result, record.facts) } catch {
                    guard error.example != nil else { throw error }
                    misfits.append(error.description)
                }
                done += 1
            } else {
                // Its cost is known all the same.
                if fields != nil { try writer.append(index: index, item: Self.null, record.facts) }
                failed += 1
            }
        }
        try writer.finish(count: end)
        if let first = misfits.first {
            let others = misfits.count > 1 ? " and \(misfits.count - 1) more" : ""
            Diagnostics.write("\(first); \(path) has null for it\(others)")
        }
        guard done < end || length == nil else { return flaws }
        let total = length == nil ? "a list whose end no job has seen" : "\(end) examples"
        Diagnostics.write("of \(total) \(done) are done and \(failed) have failed; \(path) has null for the others")
        return flaws
    }
}
