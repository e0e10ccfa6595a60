import Glibc

/// Why a job could not be started.
public struct LaunchError: Error {
    /// One sentence for the user.
    public let message: String
    /// The exit status for this error.
    let status: Int32

    init(_ message: String, status: Int32) {
        self.message = message
        self.status = status
    }

    /// Creates an error for a failed system call: `what`, and the reason in `errno`.
    init(system what: String, status: Int32 = 1) {
        self.init("\(what): \(reason(errno))", status: status)
    }
}

/// Returns the system's message for an error number.
func reason(_ number: Int32) -> String { String(cString: strerror(number)) }
