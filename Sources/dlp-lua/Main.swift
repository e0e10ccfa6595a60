import Arguments
import CSystem
import DLP
import Glibc
import Launcher
import Runner
import SystemSupport

/// dlp-lua: one function over many examples on many processes.
@main
struct Main {
    static func main() {
        dlp_leave_crashes_to_system()
        dlp_survive_file_limit()
        dlp_keep_standard_descriptors()
        // Where several processes are started, only one of them reports.
        dlp_begin_process("dlp-lua", speaksAtStart())
        do {
            let command = try Command(ownArguments())
            if let text = try command.text() {
                exit(answer(text) ? 0 : complainOnce(incompleteOutput, status: 2))
            }
            let invocation = try command.invocation()
            guard command.startsRanks else { exit(run(invocation)) }
            var launch = LaunchOptions()
            try launch.set(command.start)
            if let objection = objectionToStartingRanks() { throw UsageError(objection) }
            exit(start(launch, command))
        } catch {
            let message = (error as? ArgumentError)?.message ?? (error as? LaunchError)?.message ?? "\(error)"
            exit(complainOnce(ArgumentError.withHelp(message, of: "dlp-lua"), status: 2))
        }
    }

    /// For `-np N` and `--hosts`: starts this program N times, here or on the hosts, without these options.
    private static func start(_ launch: LaunchOptions, _ command: Command) -> Int32 {
        var launch = launch
        launch.command = [launch.hosts == nil ? ownProgram() : "dlp-lua"] + command.wordsOfRanks
        launch.hosts?.startsOwnProgram = true
        launch.program = "dlp-lua"
        return Launcher.launch(launch)
    }
}
