import TestSupport
import Testing

/// The job's key appears only where the protocol needs it: in the environment with which ranks are started.
@Suite(.hangLimit)
struct SecrecyTests {
    /// A Lua script that reports where it finds the key, which the file `key` holds.
    private static let search = """
        local key = io.open('key'):read('l')
        assert(#key == 88)
        local function holds(text) return text:find(key, 1, true) ~= nil end
        local function file(path) local f = io.open(path, 'rb') return f and f:read('a') or '' end
        local function output(command) local p = io.popen(command) local text = p:read('a') p:close() return text end
        local found = {}
        for name, text in pairs {
          variable = os.getenv('AME_AUTHKEY') or '', environment = output('env'), child = output('cat /proc/self/environ'),
          own = file('/proc/self/environ'), arguments = file('/proc/self/cmdline'), name = file('/proc/self/comm'),
          everybody = output('cat /proc/[0-9]*/cmdline /proc/[0-9]*/comm 2>/dev/null'), script = table.concat(arg, ' '),
        } do
          if holds(text) then found[#found + 1] = name end
        end
        """

    /// Starts two ranks that have the key, which is then in the file `key`.
    private static func start(_ words: String, in scratch: Scratch) throws -> Outcome {
        try run(
            "ameexec -np 2 sh -c", "echo $AME_AUTHKEY > key.$AME_RANK; mv key.$AME_RANK key; exec dlp-lua \(words)",
            in: scratch)
    }

    @Test(
        "not to scripts, nor to programs that they start, nor in arguments or process names",
        arguments: ["", "--encrypt"])
    func scripts(_ option: String) throws {
        let job = Self.search + "\nfunction examples() return 4 end function work() return table.concat(found, ' ') end"
        let outcome = try Self.start("\(option) job.lua", in: Scratch(job: job))
        #expect(outcome.lines == Array(repeating: "\"\"", count: 4), "\(outcome.error)")
    }

    @Test("the secret of late workers shows no more than the key")
    func joinSecret() throws {
        let job = Self.search + "\nfunction examples() return 4 end function work() return table.concat(found, ' ') end"
        let scratch = try Scratch(job: job)
        let secret = String(repeating: "jO1n", count: 22)
        try scratch.write("key", secret + "\n")
        let outcome = try run(
            "ameexec -np 2 dlp-lua --joinable 127.0.0.1:0 job.lua", in: scratch, environment: ["DLP_JOIN_KEY": secret])
        #expect(outcome.lines == Array(repeating: "\"\"", count: 4), "\(outcome.error)")
        #expect(!outcome.error.contains(secret))
    }

    @Test("the search finds a key that shows")
    func control() throws {
        let job = Self.search + "\nfunction examples() return 1 end function work() return table.concat(found, ' ') end"
        let scratch = try Scratch(job: job)
        let outcome = try run(
            "ameexec -np 1 sh -c",
            "echo $AME_AUTHKEY > key; k=$AME_AUTHKEY; exec env AGAIN=$k dlp-lua job.lua $k", in: scratch)
        for place in ["environment", "child", "own", "arguments", "everybody", "script"] {
            #expect(outcome.output.contains(place), "\(outcome.output) \(outcome.error)")
        }
    }

    @Test(
        "not in what dlp-lua prints",
        arguments: [
            "--info", "--info --encrypt", "-e 'error()'", "--connect-timeout 0 --info", "--nonsense", "none.lua",
        ])
    func printed(_ words: String) throws {
        let scratch = try Scratch()
        let outcome = try Self.start(words, in: scratch)
        let key = try #require(scratch.read("key")).dropLast()
        #expect(key.count == 88)
        #expect(!(outcome.output + outcome.error).contains(key))
    }

    @Test("not where ranks do not come to terms, or a key is no key")
    func errors() throws {
        let rendezvous = try Rendezvous(size: 2)
        var other = rendezvous
        other.key = String(repeating: "Z", count: 84) + "QQ=="
        let scratch = try Scratch()
        let root = try rendezvous.start(rank: 0, "--connect-timeout 30 --info", in: scratch)
        let worker = try other.start(rank: 1, "--connect-timeout 30 --info", in: scratch)
        #expect(try worker.wait() == 3)
        root.signal(15)
        _ = try root.wait()
        let printed = root.errorText + worker.errorText
        #expect(printed.contains("another key"), "\(printed)")
        #expect(!printed.contains(rendezvous.key) && !printed.contains(other.key))
        var environment = rendezvous.environment(rank: 0)
        environment["AME_AUTHKEY"] = "secret-but-not-a-key"
        let outcome = try run("dlp-lua --info", environment: environment)
        #expect(outcome.error.contains("AME_AUTHKEY is not base64") && !outcome.error.contains("secret-but"))
    }
}
