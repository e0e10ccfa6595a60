import AME
import DLP
import Glibc

/// How the agent on a host is started.
struct RemoteShell {
    /// The program to start there.
    let agent: SystemString
    /// The command that starts it on another host: ssh, or what the user has put in its place.
    private let words: [SystemString]
    /// The same program here.
    private let ownAgent: SystemString

    /// What is asked of OpenSSH: no terminal, no questions, no windows, an end of a connection that has died, no process that
    /// stays for the next one, and nothing that the user has configured for a shell there.
    private static let options = [
        "-T", "-x", "-a", "-oBatchMode=yes", "-oConnectTimeout=10", "-oServerAliveInterval=5",
        "-oServerAliveCountMax=3",
        "-oControlMaster=no", "-oRemoteCommand=none", "-oClearAllForwardings=yes",
    ]

    /// - Parameters:
    ///   - remotePath: The directory of the programs on other hosts; nil: the same as here.
    ///   - command: What `DLP_SSH` says.
    ///   - ownDirectory: Where this program lies.
    /// - Throws: `LaunchError` where that is no command.
    init(remotePath: SystemString?, command: String?, ownDirectory: String) throws(LaunchError) {
        ownAgent = SystemString("\(ownDirectory)/ameexec")
        agent = remotePath.map { $0 + "/ameexec" } ?? ownAgent
        let parts = (command ?? "ssh").split(whereSeparator: \.isWhitespace)
        guard let first = parts.first else {
            throw LaunchError("DLP_SSH is empty: unset it, or let it name a command like ssh", status: 2)
        }
        // Other commands have other options.
        let isOpenSSH = first == "ssh" || first.hasSuffix("/ssh")
        words = (parts.map { String($0) } + (isOpenSSH ? Self.options : [])).map { SystemString($0) }
    }

    /// What messages call the command that connects with a host.
    var name: String { words[0].description }

    /// What is said of a host that has `version`.
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
        // Whatever shell the user has there takes the word as it is; exec spares a process.
        let quoted = agent.bytes.flatMap { $0 == UInt8(ascii: "'") ? Array(#"'\''"#.utf8) : [$0] }
        let program = SystemString("exec '") + SystemString(bytes: quoted) + "' --agent"
        return words + [SystemString(host), program]
    }
}

/// What the ranks on other hosts get of this process's environment: what dlp-lua and Lua heed, and what the user exports.
func exportedEnvironment(_ exports: [(name: SystemString, value: SystemString?)]) -> [[UInt8]] {
    let own = ownEnvironment()
    // How hosts are reached from here says nothing about how they are from there.
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

/// This process's directory, by the name that the user has for it, where it has one.
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
