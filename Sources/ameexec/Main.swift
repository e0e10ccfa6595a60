import Arguments
import CSystem
import DLP
import Glibc
import Launcher

/// ameexec: a program several times on this machine, as the ranks of one job.
@main
struct Main {
    private static let options: [Option] = [
        Option("-np", "-n", value: "N", completion: .words(["auto"]), joinsNumbers: true),
        Option("--hosts", value: "HOST[:RANKS],...", completion: .words(["auto"])),
        Option("--hostfile", value: "FILE", completion: .files([])),
        Option("--remote-path", value: "DIRECTORY"),
        Option("--tunnel"),
        Option("--pty", value: "RANK"),
        Option("--tag-output"),
        Option("--bind-to", value: "core|none", completion: .words(["core", "none"])),
        Option("-x", value: "NAME[=VALUE]"),
        Option("--timeout", value: "SECONDS"),
        Option("--debug"),
        Option("--help", "-h"),
        Option("--version"),
        Option("--generate-completion-script", value: "SHELL", completion: .words(ShellCompletion.shells)),
    ]

    static func main() {
        dlp_leave_crashes_to_system()
        dlp_survive_file_limit()
        dlp_begin_process("ameexec", true)
        do {
            // For a launcher on another host, and for nobody else.
            if ownArguments() == ["--agent"] { exit(serveAsAgent()) }
            let words = try ParsedArguments(ownArguments(), options: options)
            if let text = try text(words) {
                print(text)
            } else {
                exit(launch(try launchOptions(words)))
            }
        } catch {
            let message = (error as? ArgumentError)?.message ?? (error as? LaunchError)?.message ?? "\(error)"
            writeMessage(ArgumentError.withHelp(message, of: "ameexec"), from: "ameexec")
            exit(2)
        }
    }

    /// What is to be printed, and nothing to be started; nil where there is something to start.
    private static func text(_ words: ParsedArguments) throws -> String? {
        if words.value("--help") != nil { return helpText }
        if words.value("--version") != nil { return Version.current }
        guard let shell = words.value("--generate-completion-script") else { return nil }
        let completion = ShellCompletion(program: "ameexec", options: options, first: .command)
        guard let script = completion.script(for: shell.description) else {
            throw ArgumentError("--generate-completion-script knows bash, zsh and fish, not '\(shell)'")
        }
        return script
    }

    private static func launchOptions(_ words: ParsedArguments) throws -> LaunchOptions {
        var options = LaunchOptions(command: Array(words.rest))
        options.hosts = try LaunchOptions.HostOptions(words)
        for given in words.given {
            let value = given.value
            switch given.option.name {
            case "-np": options.size = try rankCount(value)
            case "--pty":
                guard let rank = Int(value.description) else {
                    throw ArgumentError("--pty must be the number of a rank, not '\(value)'")
                }
                options.pty = rank
            case "--tag-output": options.tagOutput = true
            case "--bind-to":
                guard value == "core" || value == "none" else {
                    throw ArgumentError("--bind-to must be core or none, not '\(value)'")
                }
                options.bindToCore = value == "core"
            case "-x": options.export(value)
            case "--timeout":
                guard let seconds = Double(value.description) else {
                    throw ArgumentError("--timeout must be a number of seconds, not '\(value)'")
                }
                options.timeout = seconds
            case "--debug": options.debug = true
            default: break
            }
        }
        return options
    }

    private static let helpText = """
        ameexec [OPTION]... COMMAND [ARG]...    start a program several times, as the ranks of one job

          -np N, -n N        how many ranks to start (1); auto: one for each CPU that they may use
          --hosts LIST       on other hosts by ssh: a:8,b:8,c; auto: those of the batch job
          --hostfile FILE    the same from a file: a slots=8, a:8 or a on each line
          --remote-path DIR  where ameexec lies there, if not in the same directory as here
          --tunnel           ranks of dlp-lua connect over the ssh connections, where only these get through
          --pty RANK         the rank that reads standard input, a terminal too
          --tag-output       begin each line of output with [rank]
          --bind-to WHAT     core: each rank runs on one CPU only; none: anywhere
          -x NAME[=VALUE]    set a variable in the environment of the ranks; repeatable
          --timeout SECONDS  end the job after so many seconds, with status 124
          --debug            say when each rank starts and how it ends
          --version  --help  --generate-completion-script bash|zsh|fish
        """
}
