public import DLP

/// What has become of examples.
public enum JournalEntry: Sendable {
    /// They are done; each of them took its part of the time and the processor time that the cost says.
    case done(ResultRun, host: String, ExampleCost, attempts: Int)
    /// One has failed for good.
    case failed(Fault)

    /// About how much memory it takes.
    var size: Int {
        switch self {
        case .done(let run, let host, _, _): 64 + host.utf8.count + run.results.count
        case .failed(let fault): 64 + fault.message.utf8.count + fault.traceback.utf8.count
        }
    }
}

/// An entry with the time at which it was made, and the list that it is about.
struct DatedEntry: Sendable {
    var entry: JournalEntry
    var ledger: ExampleLedger
    /// In seconds since 1970.
    var time: Double
}
