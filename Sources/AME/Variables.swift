/// The environment variables by which a launcher tells a rank its place in an AME job.
///
/// The first five are those of dlp_mpi's `ame` backend, so that its scripts run under our launcher and ours under its.
/// The others are set by our launcher only and make the connection faster and safer; a rank does without them.
public enum AMEVariable {
    /// The host on which rank 0 listens.
    public static let host = "AME_HOST"
    /// The TCP port on which rank 0 listens.
    public static let port = "AME_PORT"
    /// This process's rank, from 0.
    public static let rank = "AME_RANK"
    /// The number of ranks.
    public static let size = "AME_SIZE"
    /// The job's key: 64 random bytes in base64.
    public static let key = "AME_AUTHKEY"

    /// The name of the abstract Unix-domain socket on which rank 0 listens, without its leading NUL.
    public static let socket = "AME_SOCKET"
    /// Rank 0 only: the descriptor of that socket, which is bound and listens since before any rank was started.
    ///
    /// Where ranks are on several hosts the descriptors of the sockets for the others follow, after commas.
    public static let listener = "AME_LISTEN_FD"
    /// Rank 0 only: the descriptor of a `SOCK_SEQPACKET` pair to the launcher; see `ControlMessage`.
    public static let control = "AME_CONTROL_FD"
    /// Set for ranks on other hosts than rank 0: a TCP port, followed, after commas, by the names and addresses at
    /// which rank 0 listens there, the likeliest first.
    public static let addresses = "AME_ADDRESSES"
    /// Set where ranks are on several hosts: this process's place among those of its host, from 0.
    public static let localRank = "AME_LOCAL_RANK"
    /// Set where ranks are on several hosts: the number of ranks on this one.
    public static let localSize = "AME_LOCAL_SIZE"
    /// Set where the launcher's standard error is a terminal: its width in columns.
    public static let columns = "AME_COLUMNS"

    /// Set by the user, where ranks meet by what a launcher offers: the name or address by which rank 0 is reached.
    public static let reachableHost = "DLP_HOST"
    /// Set by the user: the network interface by whose addresses rank 0 is reached, where `reachableHost` is not set.
    public static let reachableInterface = "DLP_INTERFACE"
    /// Set by the user: the directory, common to all hosts, of the file by which ranks meet where the launcher offers
    /// nothing.
    public static let meetingDirectory = "DLP_RENDEZVOUS_DIR"

    /// Set by the user, for a job that can be joined and for the workers that join it: the secret by which they
    /// recognize each other.
    public static let joinKey = "DLP_JOIN_KEY"

    /// All variables that a launcher sets.
    ///
    /// A rank removes them from its environment, so that a program that it starts does not take itself for that rank.
    public static let all = [
        host, port, rank, size, key, socket, listener, control, columns, addresses, localRank, localSize,
    ]
}
