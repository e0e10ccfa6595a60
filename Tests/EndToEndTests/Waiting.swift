import Glibc
import Testing

/// Waits until `condition` holds; fails the test after a minute, far longer than anything here takes.
func eventually(_ what: @autoclosure () -> Comment, _ condition: () throws -> Bool) throws {
    let holds = try waits(orUntil: { false }, for: condition)
    try #require(holds, what())
}

extension Launched {
    /// Waits until `condition` holds, which the job shall bring about.
    ///
    /// Fails the test after a minute, and at once where the job ends before; then it tells what became of the job.
    func reaches(_ what: String, _ condition: () throws -> Bool) throws {
        let holds = try waits(orUntil: { hasEnded }, for: condition)
        if !holds {
            let end = hasEnded ? "it has ended with status \(try wait())" : "it goes on"
            Issue.record("not reached: \(what); \(end)\nits processes:\n\(processTable)\nit said:\n\(errorText)")
        }
        try #require(holds)
    }
}

/// Whether `condition` holds, or comes to hold within a minute and not after the end that `hasEnded` sees.
private func waits(orUntil hasEnded: () -> Bool, for condition: () throws -> Bool) throws -> Bool {
    let deadline = seconds() + 60
    while true {
        // In this order: what holds as it ends has been reached.
        let isLast = hasEnded() || seconds() >= deadline
        if try condition() { return true }
        if isLast { return false }
        usleep(5_000)
    }
}

/// A clock that nobody sets.
private func seconds() -> Int {
    var now = timespec()
    clock_gettime(CLOCK_MONOTONIC, &now)
    return now.tv_sec
}
