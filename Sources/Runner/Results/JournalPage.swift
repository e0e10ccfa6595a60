import DLP
import Journal
import Report

/// The page that shows what a journal holds.
struct JournalPage {
    /// The contents of rows that were reported together.
    private struct Entry {
        var work: PageWork
        var rank: Int
        /// An index into the names of hosts.
        var host: Int
        /// The processor time of the whole entry, in nanoseconds.
        var cpu: UInt64?
        /// The largest amount of memory that its rank held meanwhile, in bytes.
        var memory: Int?
        /// The stage; each stage counts its examples from 1.
        var loop: String

        /// Whether `next` was reported together with it: the root received both at the same moment.
        ///
        /// Failed examples are reported alone.
        func belongs(with next: Entry) -> Bool {
            (work.end, rank, host, loop) == (next.work.end, next.rank, next.host, next.loop)
                && work.failed + next.work.failed == 0
        }

        mutating func add(_ next: Entry) {
            work.examples =
                min(
                    work.examples.lowerBound, next.work.examples.lowerBound)...max(
                    work.examples.upperBound, next.work.examples.upperBound)
            work.count += next.work.count
            work.nanoseconds &+= next.work.nanoseconds
            if let more = next.cpu { cpu = (cpu ?? 0) &+ more }
            if let other = next.memory { memory = max(memory ?? 0, other) }
        }
    }

    private let reader: JournalReader
    private let stage: String?

    /// - Parameter stage: the only stage to show; nil: the whole journal.
    init(_ reader: JournalReader, stage: String?) {
        self.reader = reader
        self.stage = stage
    }

    /// Writes the page.
    ///
    /// - Returns: what is wrong with the journal.
    func write(to path: SystemString) throws -> String? {
        if let stage { try reader.check(stage) }
        let page = try PageFile(path: path, facts)
        let (entries, hosts, flaws) = try read(into: page)
        let start = entries.map { $0.work.end - min($0.work.nanoseconds, $0.work.end) }.min() ?? 0
        let ranks = Set(entries.map(\.rank))
        // A journal holds no ranks that have done nothing, so the number is derived. The limit guards against absurd
        // rank numbers.
        let size = min((ranks.max() ?? -1) + 1, 4 * ranks.count)
        page.begin(ranks: size, start: start, began: Double(start) / 1e9)
        for entry in entries {
            page.addWork(entry.work, rank: entry.rank, host: hosts[entry.host])
            page.addCost(rank: entry.rank, host: hosts[entry.host], cpu: entry.cpu, memory: entry.memory)
        }
        var ending = ending
        if stage != nil || reader.lengths.count <= 1 { ending.plan = page.plan(of: ending.total) }
        try page.finish(ending)
        return flaws
    }

    private var facts: PageFacts {
        let identity = reader.identity
        var facts = PageFacts(title: identity.script.description)
        facts.add(arguments: identity.words, seed: identity.seed)
        if let stage { facts.others.append(("Stage", stage)) }
        return facts
    }

    private var ending: PageEnding {
        var ending = PageEnding()
        let lengths = reader.lengths
        ending.total = stage == nil && lengths.count == 1 ? lengths.values.first : lengths[stage]
        if let repetition = Repetition(reader.identity) { ending.alone = { repetition.line($0) } }
        return ending
    }

    /// Reads the journal once.
    ///
    /// Lengths of examples and failures go onto the page at once.
    ///
    /// - Returns: the work of ranks in the order of time, as far as rows tell it; the names of the hosts; and what is
    ///   wrong with the journal.
    private func read(into page: PageFile) throws -> (entries: [Entry], hosts: [String], flaws: String?) {
        var rows: [Entry] = []
        var hosts: [String] = []
        var places: [String: Int] = [:]
        let flaws = try reader.forEach { record in
            guard stage == nil || record.stage == stage else { return }
            let example = Self.example(record)
            if example.failure != nil { page.addFailure(example) }
            guard let nanoseconds = example.nanoseconds else { return }
            page.addLengths(of: nanoseconds) { _ in example }
            guard record.finished != nil, record.rank != nil else { return }
            let host = places[example.host] ?? hosts.count
            if host == hosts.count {
                hosts.append(example.host)
                places[example.host] = host
            }
            let work = PageWork(
                examples: example.number...example.number, count: 1, failed: example.failure == nil ? 0 : 1,
                nanoseconds: nanoseconds, end: example.end)
            rows.append(
                Entry(
                    work: work, rank: example.rank, host: host, cpu: record.cpu.map(Self.nanoseconds),
                    memory: example.memory, loop: example.loop))
        }
        rows.sort {
            ($0.work.end, $0.rank, $0.host, $0.work.examples.lowerBound)
                < ($1.work.end, $1.rank, $1.host, $1.work.examples.lowerBound)
        }
        var entries: [Entry] = []
        for row in rows {
            if entries.last?.belongs(with: row) ?? false {
                entries[entries.count - 1].add(row)
            } else {
                entries.append(row)
            }
        }
        return (entries, hosts, flaws)
    }

    private static func example(_ record: JournalReader.Record) -> PageExample {
        var example = PageExample(
            number: (record.index ?? -1) + 1, rank: record.rank ?? 0, host: record.host ?? "unknown",
            end: nanoseconds(record.finished ?? 0), nanoseconds: record.seconds.map(nanoseconds))
        (example.loop, example.input) = (record.stage ?? "", record.input ?? "")
        example.memory = record.peak.map { Int($0) }
        if record.result == nil {
            example.failure = PageExample.Failure(
                message: record.error ?? "", traceback: record.traceback ?? "", attempts: record.attempts ?? 1)
        }
        return example
    }

    /// Converts the seconds of a row.
    ///
    /// Limits the value, so that sums of absurd values cannot overflow.
    private static func nanoseconds(_ seconds: Double) -> UInt64 { UInt64(min(max(seconds, 0), 4e9) * 1e9) }
}
