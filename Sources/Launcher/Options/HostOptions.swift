import AME
import DLP
import Glibc

extension LaunchOptions.HostOptions {
    /// Reads the options about hosts; nil where no hosts are named.
    ///
    /// - Throws: `LaunchError` where the options contradict each other.
    public init?(_ start: StartOptions) throws(LaunchError) {
        let list: HostList
        if let text = start.hosts {
            if start.hostFile != nil {
                throw LaunchError("--hosts and --hostfile both name hosts: leave one of them out", status: 2)
            }
            list =
                text == "auto"
                ? try BatchHosts.list(variable: AMEEnvironment.environmentVariable, file: textOfFile)
                : try HostList(text)
        } else if let file = start.hostFile {
            list = try HostList(file: file)
        } else {
            if let name = start.remotePath != nil ? "--remote-path" : start.tunnels ? "--tunnel" : nil {
                throw LaunchError("\(name) is for other hosts: name them by --hosts or --hostfile", status: 2)
            }
            return nil
        }
        self.init(list: list)
        remotePath = start.remotePath
        tunnels = start.tunnels
        // Without a number, or with auto, each host has as many places as cores.
        if let ranks = start.ranks, ranks != "auto" { self.ranks = try rankCount(ranks) }
    }
}
