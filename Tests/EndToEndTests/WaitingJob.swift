import Glibc
import TestSupport
import Testing

/// A job whose ranks wait for programs that the script has started, to be ended by signals.
struct WaitingJob {
    /// How it is started, and how many ranks it then has.
    typealias Call = (command: String, ranks: Int)

    static let calls: [Call] = [("dlp-lua", 1), ("dlp-lua -np 2", 2), ("ameexec -np 2 dlp-lua", 2)]
    /// A job with `work`.
    static let script = """
        function examples() return 100 end
        function work() wait() return 1 end
        function summarize() print('never') end
        """

    let launched: Launched
    /// The ranks' process groups: they and their programs.
    let groups: Set<pid_t>

    /// Starts a job in which `wait()` does `waits`, with a long program in the place of PROGRAM, and tells by files that it
    /// goes on after that; returns when each of its ranks waits.
    ///
    /// - Parameter waits: what leaves the number of the rank's process in the file `rank.` and its rank, and then waits.
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

    /// Whether a rank has gone on from what it waited for.
    var hasGoneOn: Bool { launched.scratch.names.contains { $0.hasPrefix("gone-on.") } }

    /// Interrupts it, with its programs or without them, and expects that nothing goes on from that, and nothing is left.
    static func interrupt(_ call: Call, _ script: String, waits: String) throws {
        for reachesPrograms in [false, true] {
            let job = try WaitingJob(call.command, call.ranks, script, waits: waits)
            // A terminal signals them all, `kill` those that it is told.
            if reachesPrograms { for group in job.groups { kill(-group, SIGINT) } }
            job.launched.signal(SIGINT)
            let outcome = try job.launched.finish()
            let length = script == Self.script ? " after 0 of 100 examples" : ""
            #expect(outcome.isOneMessage("dlp-lua", with: "interrupted" + length), "\(outcome.error)")
            #expect(!job.hasGoneOn && outcome.output == "" && outcome.status == 130)
        }
    }

    /// Ends it and its programs by SIGTERM, and expects that their examples stay undone.
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

    /// Sends it SIGTERM, of which its programs get nothing, and expects that each rank finishes its example.
    static func finish(_ call: Call, waits: String) throws {
        let job = try WaitingJob(call.command, call.ranks, waits: waits)
        job.launched.signal(SIGTERM)
        let outcome = try job.launched.finish()
        #expect(outcome.isOneMessage("dlp-lua", with: "after \(call.ranks) of 100 examples"), "\(outcome.error)")
        #expect(job.hasGoneOn && outcome.status == 143)
    }
}
