import CMPI
import Glibc

/// Where the MPI libraries that a program could call may be.
enum LibrarySearch {
    /// How many processes may stand between a launcher and the rank that it started: shells, wrappers.
    private static let generations = 8
    /// How the names of MPI launchers, and of what they start on each host, begin.
    ///
    /// Their parents are the user's own programs, such as a notebook, which may have other MPI libraries beside them.
    private static let launchers = ["hydra", "mpiexec", "mpirun", "orte", "prte", "pmi_proxy"]

    /// The files to try for a family, the best first: what this process has loaded, what lies beside the launcher, what
    /// the loader finds by its name.
    static func candidates(for family: MPIFamily) -> [(file: String, interface: MPIInterface)] {
        let all = family.interfaces.flatMap { interface in interface.names.map { ($0, interface) } }
        let loaded = all.compactMap { name, interface in loadedFile(name).map { ($0, interface) } }
        let besides = launchersDirectories().flatMap { directory in
            all.map { ("\(directory)/\($0.0)", $0.1) }.filter { access($0.0, R_OK) == 0 }
        }
        return loaded + besides + all
    }

    /// The file of a library that is part of this process already, as by LD_PRELOAD.
    private static func loadedFile(_ name: String) -> String? {
        let file = text(capacity: Int(PATH_MAX)) { dlp_mpi_find_loaded(name, $0, $1) }
        return file.isEmpty ? nil : file
    }

    /// The directories of libraries beside the programs that have started this one: an MPI's launcher, or its agent, lies
    /// in the same tree as its library.
    private static func launchersDirectories() -> [String] {
        var directories: [String] = []
        var process = getppid()
        for _ in 0..<generations where process > 1 {
            if let program = target(of: "/proc/\(process)/exe"), let place = parent(of: program),
                launchers.contains(where: program.dropFirst(place.count + 1).hasPrefix), let tree = parent(of: place)
            {
                for name in ["lib", "lib64"] where !directories.contains("\(tree)/\(name)") {
                    directories.append("\(tree)/\(name)")
                }
            }
            process = parent(of: process)
        }
        return directories
    }

    private static func target(of link: String) -> String? {
        // Room for the NUL that readlink does not write.
        let path = text(capacity: Int(PATH_MAX)) { _ = readlink(link, $0, $1 - 1) }
        return path.hasPrefix("/") ? path : nil
    }

    private static func parent(of path: String?) -> String? {
        guard let path, let slash = path.lastIndex(of: "/") else { return nil }
        return String(path[..<slash])
    }

    /// The process that started another; 0 where that cannot be seen.
    private static func parent(of process: pid_t) -> pid_t {
        guard let file = fopen("/proc/\(process)/stat", "re") else { return 0 }
        defer { fclose(file) }
        // "pid (name) state parent ...", where the name may contain anything.
        let line = text(capacity: 1024) { _ = fread($0, 1, $1 - 1, file) }
        guard let end = line.lastIndex(of: ")") else { return 0 }
        let fields = line[line.index(after: end)...].split(separator: " ")
        return fields.count > 1 ? pid_t(fields[1]) ?? 0 : 0
    }
}
