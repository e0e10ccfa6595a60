import AME
import DLP

/// This process's place in the job, before it is connected with the other ranks.
struct Connection {
    /// The transport that connects it with the other ranks.
    let transport: Transport
    let rank: Int
    let size: Int
    let detection: Detection
    /// This rank's place on its host, where the launcher says it.
    let place: HostPlace?
    /// On the root: where other processes may join the job, if that is allowed.
    let door: JoinDoor?
    /// The ways to connect this process and which one was chosen, for `--info`: as found before connecting, which
    /// hides some of them.
    let methods: [Detection.Method]

    /// Finds this process's place in the job.
    ///
    /// To do so, the ranks that a foreign launcher started meet each other.
    ///
    /// - Parameters:
    ///   - timeout: How long to wait for the other ranks, in nanoseconds.
    ///   - encryption: Which messages between ranks are encrypted on sockets.
    ///   - joinable: On the root: whether other processes may join later.
    ///   - isExplained: Whether `methods` is needed. Finding them takes time, because every library must be looked for.
    /// - Throws: `CommunicationError` where the other ranks do not come, or where the launcher's information is
    ///   contradictory.
    init(
        _ detection: Detection, within timeout: UInt64, encryption: AMEEnvironment.Encryption, joinable: Joinable?,
        isExplained: Bool
    ) throws(CommunicationError) {
        self.detection = detection
        place = HostPlace.here(detection, .own)
        door = try joinable?.open()
        methods = isExplained ? detection.methods(.own) : []
        (transport, rank, size) = try Transport.find(
            by: detection, within: timeout, encryption: encryption, isJoinable: door != nil)
    }
}
