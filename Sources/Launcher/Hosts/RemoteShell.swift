import AME
import DLP
import Glibc

/// How the agent on a host is started.
struct RemoteShell {
    /// The program to start there.
    let agent: SystemString
    /// The command that starts the agent on another host: ssh, or the user's replacement.
    private let words: [SystemString]
    /// The path of the same program on this host.
    private let ownAgent: SystemString

    /// Options for OpenSSH: no terminal, no questions, no windows; end a connection that has died; leave no process
    /// behind for later connections; ignore what the user has configured for interactive shells there.
    private static let options = [
        "-T", "-x", "-a", "-oBatchMode=yes", "-oConnectTimeout=10", "-oServerAliveInterval=5",
        "-oServerAliveCountMax=3",
        "-oControlMaster=no", "-oRemoteCommand=none", "-oClearAllForwardings=yes",
    ]

    /// - Parameters:
    ///   - remotePath: The directory of the programs on other hosts; nil: the same as here.
    ///   - command: The value of `DLP_SSH`.
    ///   - ownDirectory: The directory of this program.
    /// - Throws: `LaunchError` where `command` is empty.
    init(remotePath: SystemString?, command: String?, ownDirectory: String) throws(LaunchError) {
        ownAgent = SystemString("\(ownDirectory)/ameexec")
        agent = remotePath.map { $0 + "/ameexec" } ?? ownAgent
        let parts = (command ?? "ssh").split(whereSeparator: \.isWhitespace)
        guard let first = parts.first else {
            throw LaunchError("DLP_SSH is empty: unset it, or let it name a command like ssh", status: 2)
        }
        // Other commands have different options.
        let isOpenSSH = first == "ssh" || first.hasSuffix("/ssh")
        words = (parts.map { String($0) } + (isOpenSSH ? Self.options : [])).map { SystemString($0) }
    }

    /// The name of the connecting command in messages.
    var name: String { words[0].description }

    /// Describes a host that has another version.
    static func describe(version: String) -> String {
        "has \(version) of these programs, and here is \(Version.current): install the same there, or name its directory by "
            + "--remote-path"
    }

    /// Whether a host's name can only mean this machine.
    static func isHere(_ host: String) -> Bool {
        ["localhost", "127.0.0.1", "::1", HostName.current].contains(host)
    }

    /// The command that starts the agent on a host.
    func command(for host: String) -> [SystemString] {
        if Self.isHere(host) { return [ownAgent, "--agent"] }
        // The quoted word is read unchanged by any shell of the user; exec saves a process.
        let quoted = agent.bytes.flatMap { $0 == UInt8(ascii: "'") ? Array(#"'\''"#.utf8) : [$0] }
        let program = SystemString("exec '") + SystemString(bytes: quoted) + "' --agent"
        return words + [SystemString(host), program]
    }
}

/// Returns what the ranks on other hosts get of this process's environment: the variables of dlp-lua and Lua, and
/// those that the user exports.
func exportedEnvironment(_ exports: [(name: SystemString, value: SystemString?)]) -> [[UInt8]] {
    let own = ownEnvironment()
    // The command to reach hosts from here says nothing about reaching hosts from there.
    var entries = own.filter { $0.starts(with: "DLP_".utf8) || $0.starts(with: "LUA_".utf8) }
        .filter { !$0.starts(with: "DLP_SSH=".utf8) }
    for (name, value) in exports {
        let opening = name.bytes + [UInt8(ascii: "=")]
        if let value {
            entries.append(opening + value.bytes)
        } else if let entry = own.last(where: { $0.starts(with: opening) }) {
            entries.append(entry)
        }
    }
    return entries
}

/// Returns this process's directory, under the user's name for it if there is one.
func ownWorkingDirectory() -> [UInt8] {
    var here = stat()
    var named = stat()
    if let path = getenv("PWD"), path.pointee == CChar(bitPattern: UInt8(ascii: "/")), stat(path, &named) == 0,
        stat(".", &here) == 0, here.st_dev == named.st_dev, here.st_ino == named.st_ino
    {
        return SystemString(cString: path).bytes
    }
    var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
    return getcwd(&buffer, buffer.count) == nil ? [UInt8(ascii: ".")] : SystemString(cString: buffer).bytes
}
