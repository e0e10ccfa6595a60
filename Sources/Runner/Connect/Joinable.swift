import AME
import DLP

/// Returns a new random secret for a job and for the processes that join it.
public func newKey() -> String { JobKey.newSecret() }

/// Permission for other processes to join a job, with the address and the key.
struct Joinable {
    let address: JobAddress
    let key: JobKey

    /// Reads what the command line asks for; nil where joining is not allowed or this rank is not the root.
    ///
    /// - Parameter secret: the secret that the user has set.
    /// - Throws: `UsageError` where joining is not possible.
    init?(_ invocation: Invocation, secret: String?, isRoot: Bool) throws(UsageError) {
        guard isRoot, case .run = invocation.task, let address = invocation.options.joinable else { return nil }
        try Self.check(invocation.options.mode)
        self.address = address
        key = try Self.key(secret)
    }

    /// Refuses modes in which no process can join.
    static func check(_ mode: Mode?) throws(UsageError) {
        guard mode == .roundRobin else { return }
        throw UsageError("--joinable is for the modes map and managed: in round-robin all is shared out at the start")
    }

    /// Returns the key that is derived from the user's secret.
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

    /// Returns the user's secret and removes it from the environment, so that neither the script nor the programs
    /// that it starts can see it.
    static func takeSecret() -> String? {
        defer { AMEEnvironment.removeSecret(AMEVariable.joinKey) }
        return AMEEnvironment.environmentVariable(AMEVariable.joinKey)
    }

    /// Begins to listen, and tells the user at which address.
    ///
    /// - Throws: `CommunicationError` where it cannot listen.
    func open() throws(CommunicationError) -> JoinDoor {
        let place = address.host.map { RootAddress.host($0) } ?? RootAddress()
        let door = try JoinDoor.open(at: place, port: address.port, key: key)
        if let endpoint = door.endpoints.first {
            Diagnostics.write("others can join with: dlp-lua --join \(endpoint)")
        }
        return door
    }
}
