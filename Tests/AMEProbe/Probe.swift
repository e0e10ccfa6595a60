import AME
import CSystem
import DLP
import Glibc

/// A rank for the tests with real launchers.
///
/// It meets the other ranks in the way that its argument names, and the root adds up all rank numbers.
///
///     ame-probe pmi1|pmi1-port|pmix|file [JOB] [SECONDS]
@main
struct Probe {
    static func main() {
        do { try run() } catch { end(3, error.description) }
    }

    private static func end(_ status: Int32, _ text: String) -> Never {
        _ = Array("\(text)\n".utf8).withUnsafeBytes { write(2, $0.baseAddress, $0.count) }
        exit(status)
    }

    private static func run() throws(CommunicationError) {
        let timeout = UInt64(CommandLine.arguments.count > 3 ? number(CommandLine.arguments[3]) : 60) * 1_000_000_000
        let environment = try rendezvous.meet(connectTimeout: timeout)
        if environment.rank == 0 {
            let root = try AMERoot(environment: environment, connectTimeout: timeout)
            var sum = 0
            for _ in 1..<root.size {
                guard case .message(let message, let rank) = try root.receive(until: dlp_now() + timeout),
                    message.first == Int64(rank)
                else { throw CommunicationError("rank 0 did not hear from every rank") }
                sum += rank
            }
            for rank in 1..<root.size { try root.send(Message(.stop), to: rank) }
            root.close(until: dlp_now() + timeout)
            print("size \(root.size) sum \(sum) endpoints \(environment.address)")
        } else {
            let worker = try AMEWorker(environment: environment, connectTimeout: timeout)
            try worker.send(Message(.goodbye, first: environment.rank), to: 0)
            guard case .message = try worker.receive(until: dlp_now() + timeout) else {
                throw CommunicationError("rank 0 did not answer")
            }
            worker.close(until: dlp_now() + timeout)
        }
    }

    private static var rendezvous: Rendezvous {
        let variable = { (name: String) in AMEEnvironment.environmentVariable(name) ?? "" }
        let job = CommandLine.arguments.count > 2 ? CommandLine.arguments[2] : ""
        switch CommandLine.arguments.dropFirst().first {
        case "pmi1":
            return .pmi1(
                descriptor: Int32(number(variable("PMI_FD"))), rank: number(variable("PMI_RANK")),
                size: number(variable("PMI_SIZE")))
        case "pmi1-port":
            let parts = variable("PMI_PORT").split(separator: ":")
            return .pmi1Port(
                host: parts.first.map { String($0) } ?? "", port: UInt16(parts.last ?? "") ?? 0, id: variable("PMI_ID"))
        case "pmix": return .pmix
        case "file":
            return .sharedFile(
                rank: number(variable("SLURM_PROCID")), size: number(variable("SLURM_STEP_NUM_TASKS")), job: job,
                isOneHost: number(variable("SLURM_STEP_NUM_NODES")) == 1)
        default:
            end(2, "usage: ame-probe pmi1|pmi1-port|pmix|file [JOB] [SECONDS], not \(job)")
        }
    }

    private static func number(_ text: String) -> Int { Int(text) ?? -1 }
}
