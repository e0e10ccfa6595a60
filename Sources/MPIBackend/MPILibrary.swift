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

    /// The library that dlp-lua knows how to call without a plugin; its name has not changed since Open MPI 3.
    private static let builtInFile = "libmpi.so.40"

    /// Opens the library for a family, or the one behind a plugin that the user names.
    ///
    /// A plugin that lies in the directory of this program is preferred to Open MPI itself. Opening takes no more than
    /// loading the library does.
    ///
    /// - Parameters:
    ///   - family: Which one the launcher belongs to; nil: any.
    ///   - plugin: The file to open, whatever its family; empty as nil, for so people unset a variable.
    /// - Throws: `CommunicationError` with the reason, one for each file that was tried.
    public static func open(family: MPIFamily? = nil, plugin: String? = nil) throws(CommunicationError) -> MPILibrary {
        if let plugin, !plugin.isEmpty {
            // A name without a slash would be looked for among the system's libraries.
            return try openPlugin(plugin.contains("/") ? plugin : "./\(plugin)")
        }
        var reasons: [String] = []
        for family in family.map({ [$0] }) ?? [.openMPI, .mpich] {
            do throws(CommunicationError) { return try open(family) } catch { reasons.append(error.description) }
        }
        throw CommunicationError(reasons.joined(separator: "; "))
    }

    private static func open(_ family: MPIFamily) throws(CommunicationError) -> MPILibrary {
        let plugin = "\(ownDirectory)/\(family.pluginName)"
        if access(plugin, F_OK) == 0 { return try openPlugin(plugin) }
        if family == .openMPI { return try opened(builtInFile, by: dlp_mpi_open_built_in) }
        throw CommunicationError(
            "there is no \(plugin): build it with scripts/build-mpi-plugin MPICC, with the compiler of your MPI")
    }

    private static func openPlugin(_ file: String) throws(CommunicationError) -> MPILibrary {
        try opened(file, by: dlp_mpi_open_plugin)
    }

    private typealias Opener = (
        UnsafePointer<CChar>, UnsafeMutablePointer<CChar>, Int
    ) -> UnsafePointer<dlp_mpi_table>?

    private static func opened(_ file: String, by open: Opener) throws(CommunicationError) -> MPILibrary {
        var table: UnsafePointer<dlp_mpi_table>?
        let problem = text(capacity: 1024) { table = open(file, $0, $1) }
        guard let table else { throw CommunicationError(problem) }
        let calls = MPICalls(table: table)
        return MPILibrary(
            family: calls.family, description: try shortened(calls.libraryVersion()), file: file, calls: calls)
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
