public import DLP

/// The outcome of examples.
public enum JournalEntry: Sendable {
    /// They are done. Each has taken the share of the time and of the processor time that the cost states.
    case done(ResultRun, host: String, ExampleCost, attempts: Int)
    /// One has failed for good.
    case failed(Fault)

    /// Roughly how much memory the entry takes, in bytes.
    var size: Int {
        switch self {
        case .done(let run, let host, _, _): 64 + host.utf8.count + run.results.count
        case .failed(let fault): 64 + fault.message.utf8.count + fault.traceback.utf8.count
        }
    }
}

/// An entry with the time at which it was made, and the list to which its examples belong.
struct DatedEntry: Sendable {
    var entry: JournalEntry
    var ledger: ExampleLedger
    /// In seconds since 1970.
    var time: Double
}
