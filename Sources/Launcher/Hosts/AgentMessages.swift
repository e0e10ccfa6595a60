/// The two streams of a rank.
enum RankStream: UInt8, CaseIterable, Hashable {
    case output
    case error
}

/// The messages from the launcher to the agent on a host.
enum ToAgent: Equatable {
    /// Check whether the job can run there.
    case prepare(Preparation)
    /// Start ranks.
    case start(RankOrder)
    case signal(rank: Int, Int32)
    /// Send a signal to all processes that outlived the ranks that started them.
    case signalLeftovers(Int32)
    /// Bytes for the rank that reads standard input; an empty array is the end.
    case input([UInt8])
    /// A packet for rank 0, as the text of a `ControlMessage`.
    case control(String)
    /// This number of bytes of a rank's output has been passed on, and as many more may follow.
    case credit(rank: Int, RankStream, Int)
    /// A word from the other end of a connection between ranks.
    case tunnel(Int, TunnelWord)
    /// Stop the ranks: the user has stopped the launcher.
    case suspend
    /// Continue them.
    case resume
    /// A sign of life.
    case ping
    /// Send what is left of the output, and end.
    case leave
}

/// The messages from an agent to the launcher.
enum FromAgent: Equatable {
    /// The first message, which every version understands.
    case hello(AgentHello)
    /// The job can run there. Contains where rank 0 listens, where that was asked for.
    case ready(RootPlace?)
    /// Sent before `ready`: the port at which the agent takes its ranks' connections to rank 0.
    case entrance(port: Int)
    /// The job cannot run there. The reason is a clause.
    case refused(String)
    case started(rank: Int, pid: Int)
    case notStarted(rank: Int, reason: String, status: Int32)
    /// Output of a rank; an empty array is its end.
    case output(rank: Int, RankStream, [UInt8])
    case ended(rank: Int, Ending)
    /// A packet from rank 0, as the text of a `ControlMessage`.
    case control(String)
    /// The rank that reads standard input has taken this number of bytes, and as many more may follow.
    case inputCredit(Int)
    /// A word from this end of a connection between ranks.
    case tunnel(Int, TunnelWord)
    /// Its ranks have ended, and so has everything that they started.
    case alone
    /// A sign of life.
    case ping
}

/// The identity of an agent and its host.
struct AgentHello: Equatable {
    /// The version of the programs on the host.
    var version: String
    /// A text that differs for every host, as made by `HostIdentity`.
    var identity: String
    /// The host's own name.
    var hostName: String
    /// How many CPUs a process may use there.
    var cpus: Int
}

/// What a job needs of a host.
struct Preparation: Equatable {
    /// The directory in which its ranks run.
    var directory: [UInt8]
    /// The program and its arguments.
    var command: [[UInt8]]
    /// Whether the program is one of those beside the agent.
    var isCompanion: Bool
    /// Entries `NAME=VALUE` to set in the environment of the ranks.
    var exports: [[UInt8]]
    /// Whether rank 0 is to run there.
    var hasRoot: Bool
    /// Whether no rank runs on another host.
    var isOneHost: Bool
    /// Whether the connections between ranks of different hosts go by way of the launcher.
    var tunnels: Bool
}

/// The addresses at which rank 0 listens.
struct RootPlace: Equatable {
    /// The abstract Unix-domain socket for ranks on the same host.
    var socketName: String
    /// The port that rank 0 can bind by itself, as other programs do.
    var freePort: Int
    /// The port on which rank 0 accepts ranks of other hosts; 0: none.
    var port: Int
    /// The names and addresses of the host for that port, the most likely one first.
    var addresses: [String]
}

/// The ranks to start on a host.
struct RankOrder: Equatable {
    /// In ascending order.
    var ranks: [Int]
    /// The number of ranks of the job.
    var size: Int
    /// Each rank's place among those of its host, and their number.
    var localRanks: [Int]
    var localSize: Int
    /// Names and values that tell ranks where rank 0 listens, including the key.
    var rendezvous: [[UInt8]]
    /// The rank that reads standard input; -1: none on this host.
    var readingRank: Int
    var bindsToCore: Bool
    /// The width of the user's terminal; 0 where there is none.
    var columns: Int
}
