import Glibc
import TestSupport
import Testing

/// A job whose ranks wait for programs that the script has started, and that is ended by signals.
struct WaitingJob {
    /// A command that starts the job, and its number of ranks.
    typealias Call = (command: String, ranks: Int)

    static let calls: [Call] = [("dlp-lua", 1), ("dlp-lua -np 2", 2), ("ameexec -np 2 dlp-lua", 2)]
    /// A job with `work`.
    static let script = """
        function examples() return 100 end
        function work() wait() return 1 end
        function summarize() print('never') end
        """

    let launched: Launched
    /// The ranks' process groups, which hold the ranks and their programs.
    let groups: Set<pid_t>

    /// Starts a job in which `wait()` executes `waits`, with a long program in place of PROGRAM.
    ///
    /// If it continues after that, it leaves a file. Returns when each rank waits.
    ///
    /// - Parameter waits: Lua that writes the process number of the rank into the file `rank.` with its rank, and
    ///   then waits.
    init(_ command: String, _ ranks: Int, _ job: String = script, waits: String) throws {
        let wait = """
            local function wait()
              \(waits.replacing("PROGRAM", with: "'echo $PPID >rank.' .. dlp.RANK .. '; exec sleep 0.7'"))
              io.open("gone-on." .. dlp.RANK, "w"):close()
            end

            """
        let launched = try Launched(
            (command + " job.lua").split(separator: " ").map { String($0) }, in: Scratch(job: wait + job))
        var found: [pid_t] = []
        try launched.reaches("all wait") {
            found = (0..<ranks).compactMap { launched.scratch.read("rank.\($0)").flatMap { Int32($0.dropLast()) } }
            return found.count == ranks
        }
        self.launched = launched
        groups = Set(found.map { getpgid($0) }.filter { $0 > 0 })
    }

    /// Whether a rank has continued after its wait.
    var hasGoneOn: Bool { launched.scratch.names.contains { $0.hasPrefix("gone-on.") } }

    /// Interrupts the job, with its programs or without them.
    ///
    /// Expects that nothing continues and that no process is left.
    static func interrupt(_ call: Call, _ script: String, waits: String) throws {
        for reachesPrograms in [false, true] {
            let job = try WaitingJob(call.command, call.ranks, script, waits: waits)
            // A terminal signals all of them, `kill` only the named processes.
            if reachesPrograms { for group in job.groups { kill(-group, SIGINT) } }
            job.launched.signal(SIGINT)
            let outcome = try job.launched.finish()
            let length = script == Self.script ? " after 0 of 100 examples" : ""
            #expect(outcome.isOneMessage("dlp-lua", with: "interrupted" + length), "\(outcome.error)")
            #expect(!job.hasGoneOn && outcome.output == "" && outcome.status == 130)
        }
    }

    /// Ends the job and its programs by SIGTERM, and expects that their examples are not done.
    static func terminate(_ call: Call, mode: String, waits: String) throws {
        let job = try WaitingJob("\(call.command) --journal run.db --mode \(mode)", call.ranks, waits: waits)
        for group in job.groups { kill(-group, SIGTERM) }
        job.launched.signal(SIGTERM)
        let outcome = try job.launched.finish()
        #expect(
            outcome.isOneMessage("dlp-lua", with: "interrupted after 0 of 100 examples", "go on"), "\(outcome.error)")
        #expect(!job.hasGoneOn && outcome.output == "" && outcome.status == 143)
        #expect(try run("dlp-lua --results run.db", in: job.launched.scratch).output == "")
    }

    /// Sends SIGTERM to the job, but not to its programs, and expects that each rank finishes its example.
    static func finish(_ call: Call, waits: String) throws {
        let job = try WaitingJob(call.command, call.ranks, waits: waits)
        job.launched.signal(SIGTERM)
        let outcome = try job.launched.finish()
        #expect(outcome.isOneMessage("dlp-lua", with: "after \(call.ranks) of 100 examples"), "\(outcome.error)")
        #expect(job.hasGoneOn && outcome.status == 143)
    }
}
