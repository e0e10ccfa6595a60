import ArgumentParser
import CSystem
import Glibc
import Launcher
import Runner

/// dlp-lua: one function over many examples on many processes.
@main
struct Main {
    static func main() {
        dlp_leave_crashes_to_system()
        dlp_keep_standard_descriptors()
        do {
            let command = try Command.parse(Array(CommandLine.arguments.dropFirst()))
            let invocation = try command.invocation()
            if let ranks = try command.ranks {
                if let objection = objectionToStartingRanks() { throw UsageError(objection) }
                exit(launch(ranks))
            }
            exit(run(invocation))
        } catch let error as UsageError {
            exit(complainOnce("\(error.message); see dlp-lua --help", status: 2))
        } catch {
            guard Command.exitCode(for: error).isSuccess else {
                // The parser ends its sentence itself.
                var message = Command.message(for: error)
                if message.hasSuffix(".") { message.removeLast() }
                exit(complainOnce("\(message); see dlp-lua --help", status: 2))
            }
            print(Command.fullMessage(for: error))
        }
    }

    /// `-np N`: starts this program N times, without that option.
    private static func launch(_ ranks: Int) -> Int32 {
        var options = LaunchOptions(
            command: ["/proc/self/exe"] + Command.withoutRanks(CommandLine.arguments.dropFirst()))
        options.size = ranks
        options.program = "dlp-lua"
        return Launcher.launch(options)
    }
}
