import Arguments
import CSystem
import Glibc
import Launcher
import Runner

/// dlp-lua: one function over many examples on many processes.
@main
struct Main {
    static func main() {
        dlp_leave_crashes_to_system()
        dlp_survive_file_limit()
        dlp_keep_standard_descriptors()
        // Where several are started one of them speaks for all.
        dlp_begin_process("dlp-lua", speaksAtStart())
        do {
            let command = try Command(ownArguments())
            if let text = try command.text() {
                print(text)
                return
            }
            let invocation = try command.invocation()
            if let ranks = try command.ranks {
                if let objection = objectionToStartingRanks() { throw UsageError(objection) }
                exit(launch(ranks, command))
            }
            exit(run(invocation))
        } catch {
            let message = (error as? ArgumentError)?.message ?? (error as? LaunchError)?.message ?? "\(error)"
            exit(complainOnce(ArgumentError.withHelp(message, of: "dlp-lua"), status: 2))
        }
    }

    /// `-np N`: starts this program N times, without that option.
    private static func launch(_ ranks: Int, _ command: Command) -> Int32 {
        var options = LaunchOptions(command: [ownProgram()] + command.wordsOfRanks)
        options.size = ranks
        options.program = "dlp-lua"
        return Launcher.launch(options)
    }
}
