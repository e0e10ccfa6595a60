import ArgumentParser
import CSystem
import DLP
import Glibc
import Launcher

/// The command line of ameexec.
@main
struct Main: ParsableCommand {
    enum Binding: String, ExpressibleByArgument, CaseIterable { case core, none }

    static let configuration = CommandConfiguration(
        commandName: "ameexec",
        abstract: "Start a program several times on this machine, as the ranks of one job.",
        usage: "ameexec [-np N] [OPTION]... COMMAND [ARG]...", version: Version.current)

    @Option(name: [.customShort("n"), .customLong("np", withSingleDash: true)], help: "How many ranks to start.")
    var size = 1
    @Option(help: ArgumentHelp("The rank that reads standard input, a terminal too.", valueName: "rank"))
    var pty: Int?
    @Flag(help: "Begin each line of output with [rank].") var tagOutput = false
    @Option(help: "Let each rank run on one CPU only (core), or anywhere (none).") var bindTo = Binding.none
    @Option(
        name: .customShort("x"), parsing: .unconditionalSingleValue,
        help: ArgumentHelp("Set a variable in the environment of the ranks; repeatable.", valueName: "name[=value]"))
    var export: [String] = []
    @Option(help: ArgumentHelp("End the job after so many seconds, with status 124.", valueName: "seconds"))
    var timeout: Double?
    @Flag(help: "Say when each rank starts and how it ends.") var debug = false
    @Argument(parsing: .captureForPassthrough, help: "The program, and its arguments.") var command: [String] = []

    static func main() {
        dlp_leave_crashes_to_system()
        do {
            Glibc.exit(launch(try parse(Array(CommandLine.arguments.dropFirst())).options()))
        } catch {
            guard exitCode(for: error).isSuccess else {
                let text = "ameexec: \(message(for: error)); see ameexec --help\n"
                write(2, text, text.utf8.count)
                Glibc.exit(2)
            }
            print(fullMessage(for: error))
            Glibc.exit(0)
        }
    }

    private func options() throws -> LaunchOptions {
        // COMMAND takes everything from the first argument on that is no option of ours, these two included.
        switch command.first {
        case "--help", "-h": throw CleanExit.helpRequest()
        case "--version": throw CleanExit.message(Self.configuration.version)
        case let first? where first.hasPrefix("-") && first != "--":
            throw ValidationError("there is no option \(first)")
        default: break
        }
        var options = LaunchOptions(command: Array(command.drop { $0 == "--" }))
        (options.size, options.pty, options.timeout) = (size, pty, timeout)
        (options.tagOutput, options.debug, options.bindToCore) = (tagOutput, debug, bindTo == .core)
        export.forEach { options.export($0) }
        return options
    }
}
