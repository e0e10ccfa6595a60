import TestSupport

/// A directory for the files of one test; it is removed with the object.
typealias Scratch = TemporaryDirectory

extension TemporaryDirectory {
    /// A directory with one file, `job.lua`.
    convenience init(job: String) throws {
        try self.init()
        try write("job.lua", job)
    }
}
