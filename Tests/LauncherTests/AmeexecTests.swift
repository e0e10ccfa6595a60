import Glibc
import TestSupport
import Testing

@Suite("ameexec", .serialized, .hangLimit)
struct AmeexecTests {
    @Test(
        "the exit status is 0, or that of the rank that failed first",
        arguments: [
            (["-np", "3", "sh", "-c", "exit $AME_RANK"], [1, 2]), (["-np", "2", "false"], [1]),
            (["-n", "2", "true"], [0]),
            (["true"], [0]), (["-np", "3", "sh", "-c", "[ $AME_RANK = 1 ] && exit 9; sleep 60"], [9]),
        ] as [([String], [Int32])])
    func status(arguments: [String], statuses: [Int32]) throws {
        let launched = try Launched(arguments)
        #expect(statuses.contains(try launched.wait()))
        #expect(launched.errorText == "")
    }

    @Test("a rank killed by a signal is named, and the status is 128 more")
    func killed() throws {
        let outcome = try ameexec(
            "-np", "3", "sh", "-c", "[ $AME_RANK = 2 ] && { echo $$; kill -9 $$; }; exec sleep 60")
        #expect(outcome.status == 137)
        let pid = outcome.output.dropLast()
        #expect(outcome.error == "ameexec: rank 2 (pid \(pid)) was killed by signal 9 (Killed)\n")
    }

    @Test(
        "what cannot be run is one message, not one per rank, and status 2",
        arguments: [
            (["no-such-program"], "ameexec: cannot start 'no-such-program': No such file or directory\n"),
            (["/"], "ameexec: cannot start '/': Permission denied\n"),
        ])
    func notFound(command: [String], message: String) throws {
        let launched = try Launched(["-np", "5"] + command)
        #expect(try launched.wait() == 2)
        #expect(launched.errorText == message)
        #expect(launched.outputText == "")
    }

    @Test(
        "what makes no sense is one line that names it, and status 2",
        arguments: [
            ([], "command"), (["-np", "0", "true"], "0"), (["-np", "many", "true"], "many"),
            (["--frobnicate", "true"], "--frobnicate"), (["--pty", "4", "-np", "4", "true"], "--pty"),
            (["--bind-to", "moon", "true"], "moon"), (["--timeout", "0", "true"], "--timeout"),
            (["-x", "=1", "true"], "-x"),
        ])
    func usage(arguments: [String], word: String) throws {
        let launched = try Launched(arguments)
        #expect(try launched.wait() == 2)
        let message = launched.errorText
        #expect(message.hasPrefix("ameexec: ") && message.contains(word))
        #expect(message.split(separator: "\n").count == 1, "\(message)")
    }

    @Test("help goes to standard output", arguments: ["--help", "-h", "--version"])
    func help(_ option: String) throws {
        let outcome = try ameexec(option)
        #expect(outcome.status == 0 && !outcome.output.isEmpty && outcome.error == "")
    }

    @Test("everything after the command is the command's")
    func passThrough() throws {
        let outcome = try ameexec("-np", "1", "printf", "%s,", "-np", "2", "--help", "-e", "--", "--debug")
        #expect(outcome == Outcome(status: 0, output: "-np,2,--help,-e,--,--debug,", error: ""))
        #expect(try ameexec("--", "echo", "a").output == "a\n")
    }

    @Test("each rank is told its place, and only rank 0 has descriptors besides its standard ones")
    func environment() throws {
        // `ls` itself opens a descriptor for the directory.
        let script = """
            fds=$(ls /proc/self/fd | wc -l)
            echo $AME_RANK $AME_SIZE $fds ${AME_LISTEN_FD:+listen} ${AME_CONTROL_FD:+control}
            """
        // A descriptor of the user's shell does not reach the ranks either.
        let inherited = dup2(1, 77)
        defer { close(inherited) }
        let outcome = try ameexec("-np", "3", "sh", "-c", script)
        #expect(
            outcome.output.split(separator: "\n").sorted() == ["0 3 6 listen control", "1 3 4", "2 3 4"])
    }

    @Test("rank 0 can bind the promised address without SO_REUSEADDR; the key has 64 bytes; the socket listens")
    func rendezvous() throws {
        let script = """
            import base64, os, socket
            listener = socket.socket()
            listener.bind((os.environ["AME_HOST"], int(os.environ["AME_PORT"])))
            listener.listen()
            other = socket.socket()
            try:
                other.bind(("", int(os.environ["AME_PORT"])))
                print("taken")
            except OSError:
                pass
            print(len(base64.b64decode(os.environ["AME_AUTHKEY"], validate=True)))
            client = socket.socket(socket.AF_UNIX)
            client.connect("\\0" + os.environ["AME_SOCKET"])
            print(socket.socket(fileno=int(os.environ["AME_LISTEN_FD"])).accept()[0].family.name)
            """
        let outcome = try ameexec("python3", "-c", script)
        #expect(outcome == Outcome(status: 0, output: "64\nAF_UNIX\n", error: ""))
    }

    @Test("variables are set with -x")
    func exports() throws {
        let outcome = try ameexec("-x", "A=1", "-x", "HOME", "-x", "B=c=d", "sh", "-c", "echo $A $B ${HOME:+home}")
        #expect(outcome.output == "1 c=d home\n")
    }

    @Test(
        "standard input goes to rank 0, or to that of --pty, and to nobody else",
        arguments: [([], "0"), (["--pty", "2"], "2")])
    func input(options: [String], reader: String) throws {
        let launched = try Launched(options + ["-np", "3", "sh", "-c", "cat | sed s/^/$AME_RANK:/"], input: "x\ny\n")
        #expect(try launched.wait() == 0)
        #expect(launched.outputText == "\(reader):x\n\(reader):y\n")
    }

    @Test("the time-out ends the job with 124 and a message")
    func timeout() throws {
        let outcome = try ameexec("-np", "2", "--timeout", "0.2", "sleep", "60")
        #expect(outcome.status == 124)
        #expect(outcome.error == "ameexec: the job ran for more than 0.2 seconds: ended\n")
    }

    @Test("--bind-to core gives each rank one CPU")
    func binding() throws {
        let outcome = try ameexec("-np", "3", "--bind-to", "core", "nproc")
        #expect(outcome.output == "1\n1\n1\n")
    }

    @Test("300 ranks")
    func manyRanks() throws {
        let outcome = try ameexec("-np", "300", "sh", "-c", "echo $AME_RANK")
        #expect(outcome.status == 0)
        #expect(Set(outcome.output.split(separator: "\n").compactMap { Int($0) }) == Set(0..<300))
    }

    @Test("--debug says how each rank ended")
    func debug() throws {
        let outcome = try ameexec("-np", "2", "--debug", "sh", "-c", "exit 0")
        for rank in 0...1 { #expect(outcome.error.contains("rank \(rank) (pid ")) }
        #expect(outcome.error.contains("ended with status 0"))
    }
}
