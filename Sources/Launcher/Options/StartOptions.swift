public import Arguments
public import DLP

/// How many ranks to start, and on which hosts: options of both ameexec and dlp-lua.
public struct StartOptions: Sendable {
    /// A number, or `auto`.
    public var ranks: SystemString?
    /// Hosts with their places, or `auto`.
    public var hosts: SystemString?
    /// A file with the hosts.
    public var hostFile: SystemString?
    /// The directory of these programs on the hosts.
    public var remotePath: SystemString?
    /// Whether the connections between ranks also go over the ssh connections.
    public var tunnels = false

    /// Creates options without values.
    public init() {}

    /// The options that set these values.
    public static let entries: [SettableOption<StartOptions>] = [
        SettableOption(
            Option(
                "-np", "-n", value: "N",
                help: "Start N ranks on this machine; auto: one for each CPU that they may use.", joinsNumbers: true),
            .text({ $1(&$0.ranks) }, offers: .words(["auto"]))),
        SettableOption(
            Option(
                "--hosts", value: "HOST[:RANKS],...",
                help: """
                    Start them on other hosts by ssh, as a:8,b:8,c; auto: on those of the batch job. With -np N the first \
                    N places are used.
                    """),
            .text({ $1(&$0.hosts) }, offers: .words(["auto"]))),
        SettableOption(
            Option(
                "--hostfile", value: "FILE",
                help: "Take the hosts from a file: a slots=8, a:8 or a on each line."),
            .text({ $1(&$0.hostFile) }, offers: .files([]))),
        SettableOption(
            Option(
                "--remote-path", value: "DIRECTORY",
                help: "Where ameexec lies on the other hosts, if not in the same directory as here."),
            .text({ $1(&$0.remotePath) }, offers: .none)),
        SettableOption(
            Option(
                "--tunnel",
                help: "Ranks of dlp-lua connect over the ssh connections, for hosts where only these get through."),
            .flag({ $1(&$0.tunnels) })),
    ]
}
