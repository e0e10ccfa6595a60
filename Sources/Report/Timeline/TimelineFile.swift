import CSystem
public import DLP
import Synchronization

/// A file that shows what each rank did when in a job.
///
/// It can be used from any thread.
public final class TimelineFile: Sendable {
    private enum Format: String, CaseIterable {
        /// A picture.
        case svg
        /// A trace in Chrome's Trace Event Format, which ui.perfetto.dev shows.
        case json
    }

    private struct State: ~Copyable {
        var timeline: Timeline
        /// Nil once it has been written.
        var file: OutputFile?
    }

    private let format: Format
    private let state: Mutex<State>

    /// Begins a file that appears at `path` when it is complete; its name determines the format.
    ///
    /// - Parameters:
    ///   - title: the job's name.
    ///   - ranks: the number of its ranks.
    ///   - start: when the job began, in nanoseconds of the monotonic clock.
    /// - Throws: `ReportError` where the format is unknown or the file cannot be written.
    public init(path: SystemString, title: String, ranks: Int, start: UInt64) throws(ReportError) {
        guard let format = OutputFile.ending(of: path).flatMap({ Format(rawValue: $0) }) else {
            throw ReportError("cannot tell the format of \(path): give the timeline a name in .svg or .json")
        }
        self.format = format
        let file = try OutputFile(path: path, for: "the timeline")
        state = Mutex(State(timeline: Timeline(title: title, ranks: ranks, start: start), file: file))
    }

    /// Adds a report that `rank` has just made: it worked on `chunk`, whose last example may have failed, for `nanoseconds`.
    public func add(_ chunk: Chunk, isFailed: Bool, rank: Int, host: String, nanoseconds: Int64) {
        let now = dlp_now()
        state.withLock {
            $0.timeline.add(chunk, isFailed: isFailed, rank: rank, host: host, nanoseconds: nanoseconds, at: now)
        }
    }

    /// Adds processor time of examples of `rank`.
    public func add(cpu nanoseconds: UInt64, of rank: Int) {
        state.withLock { $0.timeline.add(cpu: nanoseconds, of: rank) }
    }

    /// Marks `rank` as lost from now on.
    public func lose(_ rank: Int, host: String, cause: String) {
        let now = dlp_now()
        state.withLock { $0.timeline.lose(rank, host: host, cause: cause, at: now) }
    }

    /// Writes the whole file.
    ///
    /// Must be called at the end of the job, however it ends; later calls do nothing.
    ///
    /// - Throws: `ReportError` where the file cannot be written.
    public func finish() throws(ReportError) {
        try state.withLock { (state) throws(ReportError) in
            guard var file = state.file.take() else { return }
            state.timeline.finish(at: dlp_now())
            switch format {
            case .svg: try TimelinePicture(state.timeline).write(to: &file)
            case .json: try TimelineTrace(state.timeline).write(to: &file)
            }
            try file.finish()
        }
    }
}
