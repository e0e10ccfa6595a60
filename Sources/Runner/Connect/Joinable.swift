import AME
import DLP

/// A new secret for a job and those who join it, which nobody guesses.
public func newKey() -> String { JobKey.newSecret() }

/// That others may join a job, and by which key.
struct Joinable {
    let address: JobAddress
    let key: JobKey

    /// What the command line asks for; nil where others may not join, or this is not the root.
    ///
    /// - Parameter secret: what the user has set.
    /// - Throws: `UsageError` where it cannot be.
    init?(_ invocation: Invocation, secret: String?, isRoot: Bool) throws(UsageError) {
        guard isRoot, case .run = invocation.task, let address = invocation.options.joinable else { return nil }
        try Self.check(invocation.options.mode)
        self.address = address
        key = try Self.key(secret)
    }

    /// Refuses modes in which nobody can join.
    static func check(_ mode: Mode?) throws(UsageError) {
        guard mode == .roundRobin else { return }
        throw UsageError("--joinable is for the modes map and managed: in round-robin all is shared out at the start")
    }

    /// The key that the user's secret stands for.
    static func key(_ secret: String?) throws(UsageError) -> JobKey {
        let key: JobKey?
        do { key = try secret.flatMap { secret throws(CommunicationError) in try JobKey(secret: secret) } } catch {
            throw UsageError(error.description)
        }
        guard let key else {
            let isMissing = secret?.isEmpty ?? true
            throw UsageError(
                "\(AMEVariable.joinKey) is \(isMissing ? "not set" : "too short"): give the job and those who join it the "
                    + "same secret of \(JobKey.shortestSecret) bytes at least, such as 'dlp-lua --new-key' prints")
        }
        return key
    }

    /// Takes the user's secret from the environment: it is none of the script's business, nor of programs that it
    /// starts.
    static func takeSecret() -> String? {
        defer { AMEEnvironment.removeSecret(AMEVariable.joinKey) }
        return AMEEnvironment.environmentVariable(AMEVariable.joinKey)
    }

    /// Begins to listen, and says where.
    ///
    /// - Throws: `CommunicationError` where that cannot be.
    func open() throws(CommunicationError) -> JoinDoor {
        let place = address.host.map { RootAddress.host($0) } ?? RootAddress()
        let door = try JoinDoor.open(at: place, port: address.port, key: key)
        if let endpoint = door.endpoints.first {
            Diagnostics.write("others can join with: dlp-lua --join \(endpoint)")
        }
        return door
    }
}
