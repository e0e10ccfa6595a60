/// The messages for the user about a job's end.
extension Job.Action {
    /// The message where it is not known how far the job is.
    static let ignorance = "rank 0 cannot say how far the job is: it has not begun, or is not dlp-lua"

    /// Returns the message without the launcher's name; nil where there is none.
    ///
    /// - Parameter name: returns the name of a rank in messages.
    func report(of name: (Int) -> String, timeout: Double?) -> String? {
        switch self {
        case .reportKilled(let rank, let signal): "\(name(rank)) \(Ending.signalled(signal))"
        case .reportUnfinished:
            "\(name(0)) ended with status 0 before the job was done: has a C library called _exit?"
        case .reportInterrupted: "interrupted"
        case .reportTimeout: "the job ran for more than \(decimal(timeout ?? 0)) seconds: ended"
        case .reportIgnorance: Self.ignorance
        case .signal, .signalLeftovers, .notify: nil
        }
    }
}

/// Formats a period for people, to the millisecond.
func describe(nanoseconds: UInt64) -> String { "\(decimal(Double(nanoseconds / 1_000_000) / 1000)) s" }

/// Formats a number without needless decimals: 5 rather than 5.0.
private func decimal(_ number: Double) -> String {
    Int(exactly: number).map(String.init) ?? String(number)
}
