import AME
import DLP
import Glibc

/// What an agent has prepared for a job before any rank is started.
struct AgentPlace {
    let command: [SystemString]
    let exports: [(name: SystemString, value: SystemString?)]
    /// Where rank 0 will listen, if it runs here.
    let rendezvous: Rendezvous?
    /// Where rank 0 will listen for ranks of other hosts.
    let door: RemoteDoor?

    /// Changes to the job's directory and checks that its program is there.
    ///
    /// - Throws: `LaunchError` where the job cannot run here.
    init(_ preparation: Preparation) throws(LaunchError) {
        let directory = SystemString(bytes: preparation.directory)
        guard chdir(directory.cString) == 0 else {
            throw LaunchError(system: "it has no directory '\(directory)' for the ranks to run in")
        }
        var command = preparation.command.map { SystemString(bytes: $0) }
        if preparation.isCompanion { command[0] = SystemString("\(ownDirectory())/") + command[0] }
        try Self.check(command[0])
        self.command = command
        var options = LaunchOptions(command: command)
        options.exports = preparation.exports.map { LaunchOptions.export(SystemString(bytes: $0)) }
        let exports = options.exports
        self.exports = exports
        rendezvous = preparation.hasRoot ? try Rendezvous() : nil
        do {
            door =
                preparation.hasRoot && !preparation.isOneHost
                ? try RemoteDoor { name in
                    // Through a tunnel, only this host's agent connects to rank 0.
                    if preparation.tunnels { return name == AMEVariable.reachableHost ? "127.0.0.1" : nil }
                    return exports.last { $0.name == SystemString(name) }?.value?.text
                        ?? AMEEnvironment.environmentVariable(name)
                } : nil
        } catch { throw LaunchError(error.description, status: 3) }
    }

    /// Where rank 0 will listen, for the launcher.
    var root: RootPlace? {
        rendezvous.map { rendezvous in
            RootPlace(
                socketName: rendezvous.socketName, freePort: Int(rendezvous.port), port: Int(door?.port ?? 0),
                addresses: door?.addresses ?? [rendezvous.host])
        }
    }

    /// Checks for a program as exec would look it up.
    private static func check(_ program: SystemString) throws(LaunchError) {
        if program.bytes.contains(UInt8(ascii: "/")) {
            if access(program.cString, X_OK) == 0 { return }
            throw LaunchError(system: "it cannot start '\(program)'", status: 2)
        }
        let path = AMEEnvironment.environmentVariable("PATH") ?? "/bin:/usr/bin"
        for directory in path.split(separator: ":", omittingEmptySubsequences: false) {
            let file = SystemString(directory.isEmpty ? "./" : "\(directory)/") + program
            if access(file.cString, X_OK) == 0 { return }
        }
        throw LaunchError("it has no program '\(program)' in its PATH, which is \(path)", status: 2)
    }
}

/// Returns the directory of this program; `.` where the system does not tell it.
func ownDirectory() -> String {
    var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
    let count = readlink("/proc/self/exe", &buffer, buffer.count - 1)
    let path = String(decoding: buffer.prefix(max(count, 0)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    return path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
}
