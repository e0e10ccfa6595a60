import CSystem
import Glibc

/// The directory in which this program was started.
///
/// Paths on its command line are relative to it.
///
/// A script may change the directory while it is loaded.
struct StartDirectory: ~Copyable {
    private let descriptor = dlp_open_directory(".")

    /// Calls `body` in that directory.
    func during<Result: ~Copyable, Failure: Error>(
        _ body: () throws(Failure) -> Result
    ) throws(Failure) -> Result {
        guard descriptor >= 0, !isPresent else { return try body() }
        let present = dlp_open_directory(".")
        guard present >= 0 else { return try body() }
        defer { close(present) }
        guard fchdir(descriptor) == 0 else { return try body() }
        defer { _ = fchdir(present) }
        return try body()
    }

    /// Whether the current directory is still the start directory.
    private var isPresent: Bool {
        var (start, present) = (stat(), stat())
        guard fstat(descriptor, &start) == 0, stat(".", &present) == 0 else { return false }
        return start.st_dev == present.st_dev && start.st_ino == present.st_ino
    }

    deinit { if descriptor >= 0 { close(descriptor) } }
}
