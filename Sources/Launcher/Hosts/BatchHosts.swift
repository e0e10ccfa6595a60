import DLP
import Glibc

/// The hosts that a batch system has given to a job, from the variables that it sets.
enum BatchHosts {
    /// The variables, each of which holds the hosts or names a file that does.
    private static let variables = ["PBS_NODEFILE", "LSB_MCPU_HOSTS", "PE_HOSTFILE", "SLURM_JOB_NODELIST"]

    /// Returns the hosts of the batch job to which this process belongs.
    ///
    /// - Parameters:
    ///   - variable: returns a variable's value.
    ///   - file: returns the text of a file.
    /// - Throws: `LaunchError` where this process belongs to no batch job, or where the batch system's data is
    ///   malformed.
    static func list(
        variable: (String) -> String?, file: (SystemString) throws(LaunchError) -> String
    ) throws(LaunchError) -> HostList {
        guard let name = variables.first(where: { variable($0)?.isEmpty == false }), let value = variable(name) else {
            throw LaunchError(
                "--hosts auto is for jobs of a batch system, but none of \(variables.joined(separator: ", ")) is set: "
                    + "name the hosts", status: 2)
        }
        let list: HostList? =
            switch name {
            case "PBS_NODEFILE": countedLines(try file(SystemString(value)))
            case "LSB_MCPU_HOSTS": pairs(value)
            case "PE_HOSTFILE": gridEngine(try file(SystemString(value)))
            default:
                slurm(value, variable("SLURM_TASKS_PER_NODE") ?? variable("SLURM_JOB_CPUS_PER_NODE"))
            }
        guard let list, !list.entries.isEmpty else {
            throw LaunchError("--hosts auto: \(name) is '\(value)', from which no hosts can be made out", status: 2)
        }
        return list
    }

    /// PBS: one line for each place; the lines of a host need not be adjacent.
    private static func countedLines(_ text: String) -> HostList? {
        var entries: [HostList.Entry] = []
        var index: [Substring: Int] = [:]
        for line in text.split(whereSeparator: \.isWhitespace) {
            guard HostList.isName(line) else { return nil }
            if let known = index[line] {
                entries[known].places = (entries[known].places ?? 0) + 1
            } else {
                index[line] = entries.count
                entries.append(.init(String(line), 1))
            }
        }
        return HostList(entries)
    }

    /// LSF: hosts and numbers alternate.
    private static func pairs(_ text: String) -> HostList? {
        let words = text.split(whereSeparator: \.isWhitespace)
        guard words.count % 2 == 0 else { return nil }
        var entries: [HostList.Entry] = []
        for index in stride(from: 0, to: words.count, by: 2) {
            guard HostList.isName(words[index]), let places = HostList.places(words[index + 1]) else { return nil }
            entries.append(.init(String(words[index]), places))
        }
        return HostList(entries)
    }

    /// Grid Engine: a line for each queue of a host, with host, places, queue and processors.
    private static func gridEngine(_ text: String) -> HostList? {
        var entries: [HostList.Entry] = []
        for line in text.split(whereSeparator: \.isNewline) {
            let words = line.split(whereSeparator: \.isWhitespace)
            if words.isEmpty { continue }
            guard words.count >= 2, HostList.isName(words[0]), let places = HostList.places(words[1]) else {
                return nil
            }
            entries.append(.init(String(words[0]), places))
        }
        return HostList(entries)
    }

    /// Slurm: a list of nodes, and the number of tasks for each; without numbers, one task for each core.
    private static func slurm(_ nodes: String, _ tasks: String?) -> HostList? {
        guard let names = SlurmNotation.nodes(nodes) else { return nil }
        guard let tasks else { return HostList(names.map { .init($0) }) }
        guard let sizes = SlurmNotation.tasks(perNode: tasks), sizes.count == names.count else { return nil }
        return HostList(zip(names, sizes).map { .init($0, $1) })
    }
}

/// Returns the text of the file at `path`.
///
/// - Throws: `LaunchError` with the reason.
func textOfFile(_ path: SystemString) throws(LaunchError) -> String {
    let file = open(path.cString, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { throw LaunchError(system: "cannot read '\(path)'", status: 2) }
    defer { close(file) }
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while true {
        let count = read(file, &buffer, buffer.count)
        if count < 0 { throw LaunchError(system: "cannot read '\(path)'", status: 2) }
        if count == 0 { return String(decoding: bytes, as: UTF8.self) }
        bytes += buffer[..<count]
    }
}
