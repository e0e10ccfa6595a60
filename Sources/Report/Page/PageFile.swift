public import DLP
import Synchronization

/// A file that shows a whole job in a browser: a single page that needs nothing else.
///
/// It can be used from any thread.
public final class PageFile: Sendable {
    private struct State: ~Copyable {
        var page: Page
        /// Nil once it has been written.
        var file: OutputFile?
    }

    private let state: Mutex<State>

    /// Whether a file of this name is a page.
    public static func isNamed(by path: SystemString) -> Bool { OutputFile.ending(of: path) == "html" }

    /// Begins a file that appears at `path` when it is complete.
    ///
    /// - Throws: `ReportError` where the name does not end in `.html`, or the file cannot be written.
    public init(path: SystemString, _ facts: PageFacts) throws(ReportError) {
        guard Self.isNamed(by: path) else {
            throw ReportError("the report \(path) is a page for a browser: give it a name in .html")
        }
        let file = try OutputFile(path: path, for: "the report")
        state = Mutex(State(page: Page(facts), file: file))
    }

    /// Sets the number of ranks and the job's beginning, `start`, in nanoseconds of the page's clock, and in seconds
    /// since 1970.
    ///
    /// Must be called before any work is added.
    public func begin(ranks: Int, start: UInt64, began: Double) {
        state.withLock { $0.page.begin(ranks: ranks, start: start, began: began) }
    }

    /// Adds work of `rank`.
    public func addWork(_ work: PageWork, rank: Int, host: String) {
        state.withLock { $0.page.addWork(work, rank: rank, host: host) }
    }

    /// Adds the costs, besides time, of examples of `rank`, as far as they are known: the processor time in nanoseconds,
    /// and the peak memory in bytes.
    public func addCost(rank: Int, host: String, cpu: UInt64?, memory: Int? = nil) {
        state.withLock { $0.page.addCost(rank: rank, host: host, cpu: cpu, memory: memory) }
    }

    /// Adds `count` examples that took `nanoseconds` each.
    ///
    /// `example` returns the one at a place among them; it is called for some of them.
    public func addLengths(of nanoseconds: UInt64, count: Int = 1, _ example: (Int) -> PageExample) {
        state.withLock { $0.page.addLengths(of: nanoseconds, count: count, example) }
    }

    /// Adds an example that has failed for good.
    public func addFailure(_ example: PageExample) { state.withLock { $0.page.addFailure(example) } }

    /// Marks `rank` as lost.
    public func lose(_ rank: Int, host: String, cause: String, at now: UInt64) {
        state.withLock { $0.page.lose(rank, host: host, cause: cause, at: now) }
    }

    /// Sets the inputs of the longest examples of the job itself, by index from 1, where they are missing.
    public func nameInputs(_ input: (Int) -> String) { state.withLock { $0.page.nameInputs(input) } }

    /// How long the known examples took, in seconds, in their order.
    ///
    /// If there are very many, an evenly spread part of them.
    public var measuredSeconds: [Double] { state.withLock { $0.page.measured.seconds } }

    /// Writes the whole page.
    ///
    /// Must be called at the end of the job, however it ends; later calls do nothing.
    ///
    /// - Parameter now: when the job ended; nil: at the end of the last work that was added.
    /// - Throws: `ReportError` where the file cannot be written.
    public func finish(_ ending: PageEnding, at now: UInt64? = nil) throws(ReportError) {
        try state.withLock { (state) throws(ReportError) in
            guard var file = state.file.take() else { return }
            if let now { state.page.finish(at: now) }
            try PageText(state.page, ending, nonce: Self.nonce()).write(to: &file)
            try file.finish()
        }
    }

    /// A random word that distinguishes the page's own script from any other.
    private static func nonce() -> String {
        String(UInt64.random(in: .min ... .max), radix: 36) + String(UInt64.random(in: .min ... .max), radix: 36)
    }
}
