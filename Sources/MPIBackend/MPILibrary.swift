import CMPI
public import DLP
import Glibc

/// An MPI library that has been opened but not initialized.
public struct MPILibrary: Sendable {
    /// What it is compatible with.
    public let family: MPIFamily
    /// What it calls itself, on one line: "Open MPI v4.1.4".
    public let description: String
    /// The file that was opened: the library itself, or a plugin.
    public let file: String

    let calls: MPICalls

    /// Opens the library for a family, or the file that the user names: a library itself, or a plugin.
    ///
    /// A plugin that lies in the directory of this program comes first, then what this process has loaded already, then
    /// what lies beside the launcher, then what the loader finds. Opening takes no more than loading the library does.
    ///
    /// - Parameters:
    ///   - family: Which one the launcher belongs to; nil: any.
    ///   - named: The file to open, whatever its family. Empty counts as nil, since people unset a variable in this
    ///     way.
    /// - Throws: `CommunicationError` with the reason, one for each file that was tried.
    public static func open(family: MPIFamily? = nil, named: String? = nil) throws(CommunicationError) -> MPILibrary {
        if let named, !named.isEmpty {
            // A name without a slash would be looked for among the system's libraries.
            return try open(file: named.contains("/") ? named : "./\(named)")
        }
        var reasons: [String] = []
        for family in family.map({ [$0] }) ?? [.openMPI, .mpich] {
            do throws(CommunicationError) { return try open(family) } catch { reasons.append(error.description) }
        }
        throw CommunicationError(reasons.joined(separator: "; "))
    }

    private static func open(_ family: MPIFamily) throws(CommunicationError) -> MPILibrary {
        let plugin = "\(ownDirectory)/\(family.pluginName)"
        if access(plugin, F_OK) == 0 { return try opened(plugin, by: dlp_mpi_open_plugin) }
        guard !family.interfaces.isEmpty else {
            throw CommunicationError(
                "there is no \(plugin): build it with scripts/build-mpi-plugin MPICC, with the compiler of your MPI")
        }
        var reasons: [String] = []
        for (file, interface) in LibrarySearch.candidates(for: family) {
            do throws(CommunicationError) {
                let library = try opened(file, by: interface.opener)
                if library.family == family || library.family == .other { return library }
                reasons.append("\(file) is \(library.family.name)")
            } catch {
                if !error.description.hasPrefix("\(file): cannot open shared object file: No such file") {
                    reasons.append(error.description)
                }
            }
        }
        if !reasons.isEmpty { throw CommunicationError(reasons.joined(separator: "; ")) }
        let names = family.interfaces.flatMap(\.names).joined(separator: ", ")
        throw CommunicationError("the loader finds none of \(names): does LD_LIBRARY_PATH lead to your MPI?")
    }

    /// Opens what a user has named: a plugin says so by a symbol, the interface of a library is in its name.
    private static func open(file: String) throws(CommunicationError) -> MPILibrary {
        let name = file[(file.lastIndex(of: "/").map(file.index(after:)) ?? file.startIndex)...]
        let interface = MPIInterface.allCases.first { $0.names.contains { name.hasPrefix($0) } }
        return try opened(file, by: interface?.opener ?? dlp_mpi_open_plugin)
    }

    private static func opened(_ file: String, by open: MPIInterface.Opener) throws(CommunicationError) -> MPILibrary {
        var table: UnsafePointer<dlp_mpi_table>?
        let problem = text(capacity: 1024) { table = open(file, $0, $1) }
        guard let table else { throw CommunicationError(problem) }
        let calls = MPICalls(table: table)
        let description = try shortened(calls.libraryVersion())
        let family = calls.family == .other ? MPIFamily(description: description) : calls.family
        return MPILibrary(family: family, description: description, file: file, calls: calls)
    }

    /// The first words of what a library says of itself, which may be a page of build options.
    static func shortened(_ version: String) -> String {
        let line = version.split(whereSeparator: \.isNewline).first ?? ""
        // MPICH parts by tabs, Open MPI by commas: "MPICH Version:\t4.0.2", "Open MPI v4.1.4, package: Debian ...".
        let words = (line.split(separator: ",").first ?? "").split(whereSeparator: \.isWhitespace)
        return String(words.joined(separator: " ").prefix(80))
    }

    /// Where this program lies.
    private static var ownDirectory: String {
        // Room for the NUL that readlink does not write.
        let path = text(capacity: Int(PATH_MAX)) { readlink("/proc/self/exe", $0, $1 - 1) }
        return String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)])
    }
}
