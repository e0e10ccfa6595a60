import AME
public import Arguments
import DLP
import Glibc

extension LaunchOptions.HostOptions {
    /// What `--hosts`, `--hostfile`, `--remote-path`, `--tunnel` and `-np` say of hosts; nil where none are named.
    ///
    /// - Throws: `LaunchError` where that makes no sense.
    public init?(_ words: ParsedArguments) throws(LaunchError) {
        let list: HostList
        if let text = words.value("--hosts") {
            if words.value("--hostfile") != nil {
                throw LaunchError("--hosts and --hostfile both name hosts: leave one of them out", status: 2)
            }
            list =
                text == "auto"
                ? try BatchHosts.list(variable: AMEEnvironment.environmentVariable, file: textOfFile)
                : try HostList(text)
        } else if let file = words.value("--hostfile") {
            list = try HostList(file: file)
        } else {
            for name in ["--remote-path", "--tunnel"] where words.value(name) != nil {
                throw LaunchError("\(name) is for other hosts: name them by --hosts or --hostfile", status: 2)
            }
            return nil
        }
        self.init(list: list)
        remotePath = words.value("--remote-path")
        tunnels = words.value("--tunnel") != nil
        // Without a number each host has as many places as cores, which auto means, too.
        if let ranks = words.value("-np"), ranks != "auto" { self.ranks = try rankCount(ranks) }
    }
}
