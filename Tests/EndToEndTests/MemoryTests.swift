import Glibc
import TestSupport
import Testing

/// A memory limit for a group of processes, beyond which the system kills; it is removed with the object.
private final class MemoryCage {
    private let path: String
    /// A process that writes its number into this file joins the group.
    let entrance: String

    init(bytes: Int) throws {
        let isFirstVersion = access("/sys/fs/cgroup/memory", F_OK) == 0
        path = "/sys/fs/cgroup/\(isFirstVersion ? "memory/" : "")dlp-lua-test-\(UInt32.random(in: 0 ... .max))"
        entrance = "\(path)/cgroup.procs"
        try #require(mkdir(path, 0o755) == 0, "the tests may make a control group for memory")
        let limit = open("\(path)/\(isFirstVersion ? "memory.limit_in_bytes" : "memory.max")", O_WRONLY | O_CLOEXEC)
        try #require(limit >= 0)
        defer { close(limit) }
        let text = "\(bytes)"
        try #require(write(limit, text, text.utf8.count) == text.utf8.count)
    }

    deinit { rmdir(path) }
}

/// Ranks that the system kills because memory runs out.
@Suite(.hangLimit)
struct MemoryTests {
    @Test(
        "others do the examples of a rank that the system has killed for its memory",
        arguments: ["map", "managed", "round-robin"])
    func killed(_ mode: String) throws {
        let cage = try MemoryCage(bytes: 64 << 20)
        let scratch = try Scratch(
            // The other ranks wait until the hungry rank has got an example.
            job: """
                function examples() return 40 end
                function work(n)
                  if dlp.RANK == 2 then
                    io.open("eating", "w"):close()
                    local eaten = {}
                    while true do eaten[#eaten + 1] = ("x"):rep(1 << 20) .. #eaten end
                  end
                  while not io.open("eating") do os.execute("sleep 0.02") end
                  return n
                end
                function summarize(results) print(table.concat(results, " ")) end
                """)
        let outcome = try run(
            "ameexec -np 3 sh -c",
            """
            [ $AME_RANK != 2 ] || echo $$ >\(cage.entrance)
            exec dlp-lua --mode \(mode) --crash-limit 9 job.lua
            """, in: scratch)
        #expect(outcome.output == (1...40).map { "\($0)" }.joined(separator: " ") + "\n")
        #expect(
            outcome.isOneMessage("dlp-lua", with: "lost rank 2 (host ", "killed by signal 9 (Killed)"),
            "\(outcome.error)")
        #expect(outcome.status == 0)
        withExtendedLifetime(cage) {}
    }

    private static let greedy = [
        "lists": """
        function examples() local t = {} for k = 1, 1000000 do t[k] = "example number " .. k end return t end
        function work(e) return e end
        """,
        "numbers": "function examples() return 10000000 end function work(e) return e end function summarize() end",
        "results": """
        function examples() return 8 end
        function work() local t = {} for k = 1, 150000 do t[k] = {k, "a" .. k} end return t end
        function summarize() end
        """,
        "messages": """
        local t = {}
        for k = 1, 200000 do t[k] = {k, "a" .. k} end
        dlp.gather(t)
        dlp.bcast(t)
        """,
    ]

    @Test(
        "memory that a limit of the system refuses is an error, and no crash",
        arguments: greedy.keys.sorted())
    func limited(_ kind: String) throws {
        let scratch = try Scratch(job: Self.greedy[kind] ?? "")
        for command in ["dlp-lua", "ameexec -np 2 dlp-lua"] {
            let outcome = try run("sh -c", "ulimit -v 120000; exec \(command) job.lua", in: scratch)
            #expect((0...3).contains(outcome.status), "\(command): \(outcome.status) \(outcome.error)")
            #expect(outcome.status == 0 || !outcome.error.isEmpty)
        }
    }
}
