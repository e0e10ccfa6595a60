import CSystem
import DLP
import Glibc
import MPIBackend

/// A rank that runs a scenario over MPI: `mpi-probe SCENARIO [NUMBER ...]`.
///
/// The library is that of DLP_MPI_LIBRARY, or of the family PROBE_FAMILY, or Open MPI. With PROBE_PIECES=small,
/// bodies are cut into many pieces.
@main
enum Main {
    static func main() {
        let arguments = CommandLine.arguments.dropFirst()
        let numbers = arguments.dropFirst().compactMap { Int($0) }
        guard let name = arguments.first, let scenario = Scenario.all[name] else {
            return fail("usage: mpi-probe \(Scenario.all.keys.sorted().joined(separator: "|")) [NUMBER ...]")
        }
        do {
            let library = try MPILibrary.open(
                family: text("PROBE_FAMILY").flatMap { MPIFamily(rawValue: $0) }, named: text("DLP_MPI_LIBRARY"))
            var limits = BodyLimits()
            if getenv("PROBE_PIECES") != nil {
                limits.inside = 100
                limits.broadcast = 1000
                limits.piece = 70_000
            }
            let communicator = try MPICommunicator(
                library: library, expectedRank: number("PROBE_RANK"), expectedSize: number("PROBE_SIZE"), limits: limits
            )
            let run = Scenario(communicator: communicator, numbers: numbers)
            do { try scenario(run) } catch {
                say("rank \(communicator.rank): \(error)")
                communicator.abort(status: 9, until: nil)
            }
            communicator.close(until: nil)
        } catch { fail("\(error)") }
    }

    private static func text(_ variable: String) -> String? { getenv(variable).map { String(cString: $0) } }

    private static func number(_ variable: String) -> Int? { text(variable).flatMap { Int($0) } }

    private static func fail(_ message: String) {
        say(message)
        exit(3)
    }
}

/// Writes a line at once, because a rank may end without notice.
func say(_ line: String, to descriptor: Int32 = STDOUT_FILENO) {
    let bytes = Array("\(line)\n".utf8)
    _ = write(descriptor, bytes, bytes.count)
}
