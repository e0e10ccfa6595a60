import Arguments
import CSystem
import DLP
import Glibc
import Launcher
import SystemSupport

/// ameexec: starts a program several times on this machine, as the ranks of one job.
@main
struct Main {
    static func main() {
        dlp_leave_crashes_to_system()
        dlp_survive_file_limit()
        dlp_begin_process("ameexec", true)
        do {
            // Only a launcher on another host uses this.
            if ownArguments() == ["--agent"] { exit(serveAsAgent()) }
            let entries = AmeexecOptions.entries
            let words = try ParsedArguments(ownArguments(), options: entries.map(\.option))
            var options = AmeexecOptions()
            let given = words.given.map { (entry: entries[$0.index], value: $0.value) }
            // Handled first: a user who asks for help may have made mistakes in other options.
            for case (.about(let entry), let value) in given { try options.set(.about(entry), value) }
            if let text = try AmeexecOptions.description.text(options.about) {
                if answer(text) { return }
                writeMessage(incompleteOutput, from: "ameexec")
                exit(2)
            }
            for (entry, value) in given { try options.set(entry, value) }
            options.launch.command = Array(words.rest)
            try options.launch.set(options.start)
            exit(launch(options.launch))
        } catch {
            let message = (error as? ArgumentError)?.message ?? (error as? LaunchError)?.message ?? "\(error)"
            writeMessage(ArgumentError.withHelp(message, of: "ameexec"), from: "ameexec")
            exit(2)
        }
    }
}
