import Glibc

/// The launcher's standard input, for a rank on some host.
final class JobInput {
    /// How much may be read before the rank has taken some.
    private var credit = AgentRules.window
    private let poller: Poller
    private let number: Int
    /// Whether it can be waited for, as files cannot.
    private var isWatched = false
    private var hasEnded = false
    private var buffer = [UInt8](repeating: 0, count: 1 << 16)

    /// Uses the poller's `number`.
    init(poller: Poller, number: Int) {
        self.poller = poller
        self.number = number
        isWatched = poller.addIfPossible(0, as: number)
        isReady = !isWatched
    }

    /// Whether something can be read without waiting.
    private var isReady: Bool

    /// The poller says that there is something.
    func becomesReady() { isReady = true }

    /// The rank has taken some.
    func add(credit more: Int) {
        let before = credit
        credit = min(credit + more, AgentRules.window)
        if before == 0, isWatched, !hasEnded { poller.add(0, as: number, for: .input) }
    }

    /// What has come, as far as the rank has room for it; nothing at its end, and nil where there is nothing.
    func next() -> [UInt8]? {
        guard isReady, credit > 0, !hasEnded else { return nil }
        let count = read(0, &buffer, min(buffer.count, credit))
        if count < 0 && (errno == EINTR || errno == EAGAIN) {
            isReady = !isWatched
            return nil
        }
        if isWatched { isReady = false }
        credit -= max(count, 0)
        hasEnded = count <= 0
        if isWatched, hasEnded || credit == 0 { poller.remove(0) }
        return Array(buffer[..<max(count, 0)])
    }

    /// Nobody reads it any more.
    func end() {
        if isWatched, !hasEnded, credit > 0 { poller.remove(0) }
        hasEnded = true
    }
}
