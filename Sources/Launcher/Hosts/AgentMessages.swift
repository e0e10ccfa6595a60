/// The two streams of a rank.
enum RankStream: UInt8, CaseIterable, Hashable {
    case output
    case error
}

/// What the launcher says to the agent on a host.
enum ToAgent: Equatable {
    /// Look whether the job can run there.
    case prepare(Preparation)
    /// Start ranks.
    case start(RankOrder)
    case signal(rank: Int, Int32)
    /// Send a signal to whatever outlived the ranks that started it.
    case signalLeftovers(Int32)
    /// What the rank that reads standard input is to read; nothing: its end.
    case input([UInt8])
    /// A packet for rank 0, as the text of a `ControlMessage`.
    case control(String)
    /// So many bytes of a rank's output have been passed on, and as many more may follow.
    case credit(rank: Int, RankStream, Int)
    /// The other end of a connection between ranks has said something.
    case tunnel(Int, TunnelWord)
    /// Stop the ranks: the user has stopped the launcher.
    case suspend
    /// Continue them.
    case resume
    /// The launcher is there.
    case ping
    /// Send what is left of the output, and end.
    case leave
}

/// What an agent says to the launcher.
enum FromAgent: Equatable {
    /// The first word, which every version understands.
    case hello(AgentHello)
    /// The job can run there; with where rank 0 listens, where that was asked for.
    case ready(RootPlace?)
    /// Before `ready`: the port at which it takes its ranks' connections to rank 0.
    case entrance(port: Int)
    /// The job cannot run there, for this reason: a clause.
    case refused(String)
    case started(rank: Int, pid: Int)
    case notStarted(rank: Int, reason: String, status: Int32)
    /// What a rank wrote; nothing: that was all.
    case output(rank: Int, RankStream, [UInt8])
    case ended(rank: Int, Ending)
    /// A packet from rank 0, as the text of a `ControlMessage`.
    case control(String)
    /// The rank that reads standard input has taken so many bytes, and as many more may follow.
    case inputCredit(Int)
    /// This end of a connection between ranks has something to say.
    case tunnel(Int, TunnelWord)
    /// Its ranks have ended, and so has everything that they started.
    case alone
    /// The agent is there.
    case ping
}

/// Who an agent is.
struct AgentHello: Equatable {
    /// Of the programs there.
    var version: String
    /// What tells the host from every other, as `HostIdentity` has it.
    var identity: String
    /// The host's own name for itself.
    var hostName: String
    /// How many CPUs a process may use there.
    var cpus: Int
}

/// What a job needs of a host.
struct Preparation: Equatable {
    /// Where its ranks run.
    var directory: [UInt8]
    /// The program and its arguments.
    var command: [[UInt8]]
    /// Whether the program is one of those that lie beside the agent.
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

/// Where rank 0 listens.
struct RootPlace: Equatable {
    /// The abstract Unix-domain socket for ranks of its host.
    var socketName: String
    /// The port that it can bind by itself, as programs of others do.
    var freePort: Int
    /// The port on which it takes ranks of other hosts; 0: none.
    var port: Int
    /// The names and addresses by which it may be reached there, the likeliest first.
    var addresses: [String]
}

/// The ranks to start on a host.
struct RankOrder: Equatable {
    /// In ascending order.
    var ranks: [Int]
    /// The number of ranks of the job.
    var size: Int
    /// Each rank's place among those of its host, and how many that are.
    var localRanks: [Int]
    var localSize: Int
    /// Names and values that tell ranks where rank 0 is; among them the key.
    var rendezvous: [[UInt8]]
    /// The rank that reads standard input; -1: none there.
    var readingRank: Int
    var bindsToCore: Bool
    /// The width of the user's terminal; 0 where there is none.
    var columns: Int
}
