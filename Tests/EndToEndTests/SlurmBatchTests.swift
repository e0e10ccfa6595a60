import Glibc
import TestSupport
import Testing

/// Jobs that are submitted to Slurm's queue.
@Suite(.hangLimit)
struct SlurmBatchTests {
    /// Prints on how many ranks the job ran, and its argument.
    private static let job = """
        function examples() return 3 end
        function work() return arg[1] end
        function summarize(results) print(dlp.SIZE .. " " .. table.concat(results, " ")) end
        """

    /// Submits a job, and waits until Slurm has finished it.
    ///
    /// It does not use `sbatch --wait`, which looks only once in ten seconds.
    ///
    /// - Returns: the number of the job.
    @discardableResult
    private func submit(_ words: String, in scratch: Scratch) throws -> String {
        let environment = try Testbed.slurmEnvironment()
        let submission = try run("sbatch --parsable \(words)", in: scratch, environment: environment)
        try #require(submission.status == 0, "\(submission.error)")
        let number = try #require(submission.lines.first)
        try eventually("the job ends") {
            let jobs = try run("squeue -h -j \(number)", in: scratch, environment: environment)
            // A controller that is too busy to answer does not mean that the job has ended.
            return jobs.output == "" && (jobs.status == 0 || jobs.error.contains("Invalid job id"))
        }
        return number
    }

    @Test("a batch script without srun works alone, and says that srun was forgotten")
    func batchWithoutSrun() throws {
        let scratch = try Scratch()
        try scratch.write("batch", "#!/bin/sh\nexec dlp-lua --info\n")
        try submit("-t 2 -N 2 -n 4 -o out -e err batch", in: scratch)
        #expect(try hellos(in: #require(scratch.read("out"))) == hellos(of: 1))
        let warning = try #require(scratch.read("err"))
        #expect(warning.hasPrefix("dlp-lua: ") && warning.contains("4 tasks") && warning.contains("srun"), "\(warning)")
        #expect(warning.split(separator: "\n").count == 1)
    }

    @Test("a batch script with srun and fewer tasks than were allocated has as many ranks as srun started")
    func batchWithSrun() throws {
        let scratch = try Scratch()
        try scratch.write("batch", "#!/bin/sh\nexec srun -n 2 dlp-lua --info\n")
        try submit("-t 2 -N 2 -n 4 -o out -e err batch", in: scratch)
        #expect(try hellos(in: #require(scratch.read("out"))) == hellos(of: 2))
        #expect(scratch.read("err") == "")
    }

    @Test("the template for batch jobs runs a job on all its tasks")
    func template() throws {
        let scratch = try Scratch(job: Self.job)
        try submit("\(Program.scripts)/slurm/job.sbatch job.lua x", in: scratch)
        #expect(scratch.outputs == ["4 x x x\n"])
    }

    /// Submits the template with its other call, which stops a job after two seconds, until nothing is left to do.
    ///
    /// Slurm itself would restart a requeued job, but only after two minutes. A file in place of scontrol records
    /// which job was requeued.
    ///
    /// Slurm gives up steps and jobs on a machine that is too busy. Then too the next job goes on with the journal.
    ///
    /// - Parameters:
    ///   - jobs: the names of the jobs, after the number that sbatch returns.
    ///   - ends: what they print at their ends.
    /// - Returns: how often jobs were requeued.
    private func submitUntilDone(
        _ words: String, jobs: [String], ends: [String], in scratch: Scratch
    ) throws -> Int {
        let edits =
            "-e 's/^srun/# &/' -e '/^# job=/,$ s/^# //' -e 's/ 1740 / 2 /' -e 's/exec scontrol/exec sh scontrol/'"
        let template = "\(Program.scripts)/slurm/job.sbatch"
        #expect(try run("sh -c", "sed \(edits) '\(template)' > job.sbatch", in: scratch).status == 0)
        try scratch.write("scontrol", "echo \"$*\" >> requeued")
        var count = 0
        for _ in 1...50 {
            let number = try submit(words, in: scratch)
            let lines = (scratch.read("requeued") ?? "").split(separator: "\n")
            unlink("\(scratch.path)/requeued")
            #expect(lines.allSatisfy { line in jobs.contains { line == "requeue \(number)\($0)" } }, "\(lines)")
            count += lines.count
            let outputs = scratch.outputs
            if ends.allSatisfy({ end in outputs.contains { $0.hasSuffix(end) } }) { return count }
        }
        Issue.record("not done after fifty jobs: \(scratch.outputs)")
        return count
    }

    @Test("the template's other call has the same job go on until it is done, with what sbatch was given")
    func again() throws {
        let scratch = try LongJob.scratch()
        try scratch.write("count", "400")
        let count = try submitUntilDone(
            "-J other -n 3 job.sbatch job.lua", jobs: [""], ends: ["400\t1\t400\n"], in: scratch)
        #expect(count > 0, "\(scratch.outputs)")
        #expect(scratch.names.filter { $0.hasSuffix(".db") } == ["other.db"])
        #expect(LongJob.counts(in: scratch).keys.sorted() == Array(1...400))
    }

    @Test("the jobs of an array have a journal each, and go on each by itself")
    func arrayAgain() throws {
        let scratch = try Scratch(
            job: """
                function examples() return tonumber(arg[1]) end
                function work(n) os.execute("sleep 0.02") return n end
                function summarize(results) print("all " .. results.n) end
                """)
        let words = "--array=1-2 -N 1 -n 1 job.sbatch job.lua 20 150"
        let count = try submitUntilDone(
            words, jobs: ["_1", "_2"], ends: ["all 20\n", "all 150\n"], in: scratch)
        #expect(count > 0, "\(scratch.outputs)")
        #expect(scratch.names.filter { $0.hasSuffix(".db") }.sorted() == ["dlp-lua-1.db", "dlp-lua-2.db"])
    }

    @Test("the template in an array gives each job its own input")
    func array() throws {
        let scratch = try Scratch(job: Self.job)
        try submit("--array=1-3 \(Program.scripts)/slurm/job.sbatch job.lua x y z", in: scratch)
        let outputs = scratch.names.filter { $0.hasSuffix(".out") }.compactMap { scratch.read($0) }
        #expect(outputs.sorted() == ["4 x x x\n", "4 y y y\n", "4 z z z\n"])
    }
}

extension Scratch {
    /// The output of the batch jobs that ran here.
    fileprivate var outputs: [String] { names.filter { $0.hasSuffix(".out") }.compactMap { read($0) } }
}
