import TestSupport
import Testing

/// How ranks meet under foreign launchers, with a program that does nothing else.
@Suite("Meeting under other launchers", .serialized)
struct LauncherMeetingTests {
    static let commands = [
        "mpiexec.hydra -n 4 ame-probe pmi1",
        "mpiexec.hydra -pmi-port -n 4 ame-probe pmi1-port",
        "mpiexec.openmpi --allow-run-as-root --oversubscribe -n 4 ame-probe pmix",
    ]

    @Test("four ranks of one host find each other, without a TCP port", arguments: commands)
    func oneHost(command: String) throws {
        let outcome = try run(command)
        #expect(outcome.status == 0, "\(outcome.error)")
        #expect(outcome.lines.count == 1)
        #expect(outcome.output.hasPrefix("size 4 sum 6 endpoints the local socket "))
        #expect(!outcome.output.contains(", "))
    }

    @Test("one rank is a job, too", arguments: commands)
    func single(command: String) throws {
        let outcome = try run(command.replacing("-n 4", with: "-n 1"))
        #expect(outcome.status == 0, "\(outcome.error)")
        #expect(outcome.output.hasPrefix("size 1 sum 0 "))
    }

    @Test("ranks of what the launcher takes for two hosts have TCP to choose")
    func twoHosts() throws {
        let outcome = try run("mpiexec.hydra -launcher fork -hosts localhost,127.0.0.1 -n 4 ame-probe pmi1")
        #expect(outcome.status == 0, "\(outcome.error)")
        #expect(outcome.output.hasPrefix("size 4 sum 6 endpoints the local socket "))
        #expect(outcome.output.contains(", "))
    }

    @Test("ranks that do not come to the launcher's meeting point end the job at the deadline", arguments: commands)
    func missing(command: String) throws {
        // The last rank sleeps until the launcher or the test ends it.
        let wanted = command.split(separator: " ").map { String($0) }
        let program = wanted.suffix(2).joined(separator: " ")
        let script = "case $PMI_RANK$PMI_ID$OMPI_COMM_WORLD_RANK in 3) exec sleep 300;; esac; exec \(program) job 3"
        let launched = try Launched(wanted.dropLast(2) + ["sh", "-c", script], in: Scratch())
        #expect(try launched.wait() != 0)
        #expect(launched.errorText.contains("not all of the 4 ranks came to the launcher's meeting point within 3 s"))
    }

    @Test("without a launcher that serves it, PMIx says so")
    func noServer() throws {
        let outcome = try run("ame-probe pmix")
        #expect(outcome.status == 3)
        #expect(outcome.error.hasPrefix("the launcher's PMIx server does not let the ranks meet (Init: "))
    }
}
