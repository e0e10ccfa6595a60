import Glibc
import Testing

/// Waits until `condition` holds; fails the test after a minute, which is far longer than anything here takes.
func eventually(_ what: @autoclosure () -> Comment, _ condition: () throws -> Bool) throws {
    let holds = try waits(orUntil: { false }, for: condition)
    try #require(holds, what())
}

extension Launched {
    /// Waits until the job makes `condition` hold.
    ///
    /// Fails the test after a minute, or at once where the job ends before; it then reports what happened to the job.
    func reaches(_ what: String, _ condition: () throws -> Bool) throws {
        let holds = try waits(orUntil: { hasEnded }, for: condition)
        if !holds {
            let end = hasEnded ? "it has ended with status \(try wait())" : "it goes on"
            Issue.record("not reached: \(what); \(end)\nits processes:\n\(processTable)\nit said:\n\(errorText)")
        }
        try #require(holds)
    }
}

/// Whether `condition` holds within a minute, and not later than at the end that `hasEnded` reports.
private func waits(orUntil hasEnded: () -> Bool, for condition: () throws -> Bool) throws -> Bool {
    let deadline = seconds() + 60
    while true {
        // In this order, because a condition that holds at the end counts as reached.
        let isLast = hasEnded() || seconds() >= deadline
        if try condition() { return true }
        if isLast { return false }
        usleep(5_000)
    }
}

/// The monotonic clock, in seconds.
private func seconds() -> Int {
    var now = timespec()
    clock_gettime(CLOCK_MONOTONIC, &now)
    return now.tv_sec
}
