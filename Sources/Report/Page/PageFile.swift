public import DLP
import Synchronization

/// A file that shows all of a job in a browser: one page, which needs nothing else; used from any thread.
public final class PageFile: Sendable {
    private struct State: ~Copyable {
        var page: Page
        /// Until it has been written.
        var file: OutputFile?
    }

    private let state: Mutex<State>

    /// Whether a file of this name is one.
    public static func isNamed(by path: SystemString) -> Bool { OutputFile.ending(of: path) == "html" }

    /// Begins the file that is to be at `path` when it is complete.
    ///
    /// - Throws: `ReportError` where the name is none for a page, or the file cannot be written.
    public init(path: SystemString, _ facts: PageFacts) throws(ReportError) {
        guard Self.isNamed(by: path) else {
            throw ReportError("the report \(path) is a page for a browser: give it a name in .html")
        }
        let file = try OutputFile(path: path, for: "the report")
        state = Mutex(State(page: Page(facts), file: file))
    }

    /// The job has so many ranks, and began at `start`, in nanoseconds of the page's clock, and in seconds since 1970: before
    /// it is known who worked when.
    public func begin(ranks: Int, start: UInt64, began: Double) {
        state.withLock { $0.page.begin(ranks: ranks, start: start, began: began) }
    }

    /// `rank` was at work.
    public func addWork(_ work: PageWork, rank: Int, host: String) {
        state.withLock { $0.page.addWork(work, rank: rank, host: host) }
    }

    /// What examples of `rank` cost besides time, as far as that is known: processor time in nanoseconds, the most memory
    /// in bytes.
    public func addCost(rank: Int, host: String, cpu: UInt64?, memory: Int? = nil) {
        state.withLock { $0.page.addCost(rank: rank, host: host, cpu: cpu, memory: memory) }
    }

    /// `count` examples took so many nanoseconds each; `example`, which is called for some of them, has the one at a place
    /// among them.
    public func addLengths(of nanoseconds: UInt64, count: Int = 1, _ example: (Int) -> PageExample) {
        state.withLock { $0.page.addLengths(of: nanoseconds, count: count, example) }
    }

    /// An example has failed for good.
    public func addFailure(_ example: PageExample) { state.withLock { $0.page.addFailure(example) } }

    /// `rank` was lost.
    public func lose(_ rank: Int, host: String, cause: String, at now: UInt64) {
        state.withLock { $0.page.lose(rank, host: host, cause: cause, at: now) }
    }

    /// Sets the inputs of the longest examples of the job itself, by their index from 1, that have none.
    public func nameInputs(_ input: (Int) -> String) { state.withLock { $0.page.nameInputs(input) } }

    /// How long the examples took that are known of, in seconds and in their order; of very many some, evenly spread.
    public var measuredSeconds: [Double] { state.withLock { $0.page.measured.seconds } }

    /// Writes all of it, at the end of the job, however that ends; later calls do nothing.
    ///
    /// - Parameter now: when the job ended; nil: with the last that was added.
    /// - Throws: `ReportError` where the file cannot be written.
    public func finish(_ ending: PageEnding, at now: UInt64? = nil) throws(ReportError) {
        try state.withLock { (state) throws(ReportError) in
            guard var file = state.file.take() else { return }
            if let now { state.page.finish(at: now) }
            try PageText(state.page, ending, nonce: Self.nonce()).write(to: &file)
            try file.finish()
        }
    }

    /// What tells the page's own script from any other.
    private static func nonce() -> String {
        String(UInt64.random(in: .min ... .max), radix: 36) + String(UInt64.random(in: .min ... .max), radix: 36)
    }
}
