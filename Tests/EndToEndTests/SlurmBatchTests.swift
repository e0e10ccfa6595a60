import Testing

/// Jobs that are handed in, not waited for.
@Suite(.timeLimit(.minutes(60)))
struct SlurmBatchTests {
    /// Says on how many ranks it did what.
    private static let job = """
        function examples() return 3 end
        function work() return arg[1] end
        function summarize(results) print(dlp.SIZE .. " " .. table.concat(results, " ")) end
        """

    /// Hands in what the words name, and waits until Slurm has done with it.
    ///
    /// Not by `sbatch --wait`, which looks once in ten seconds.
    private func submit(_ words: String, in scratch: Scratch) throws {
        let environment = try Testbed.slurmEnvironment()
        let submission = try run("sbatch --parsable \(words)", in: scratch, environment: environment)
        try #require(submission.status == 0, "\(submission.error)")
        let number = try #require(submission.lines.first)
        try eventually("the job ends") {
            try run("squeue -h -j \(number)", in: scratch, environment: environment).output == ""
        }
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
        let output = scratch.names.filter { $0.hasSuffix(".out") }
        #expect(output.count == 1 && scratch.read(output[0]) == "4 x x x\n", "\(scratch.names)")
    }

    @Test("the template's other call hands a job in again until it is done")
    func again() throws {
        let scratch = try LongJob.scratch()
        try scratch.write("count", "600")
        let edits = [
            "s/^srun/# &/", "s/^# \\(status=\\|srun dlp-lua --journal\\|\\[\\[ .status\\|exit \\)/\\1/",
            "s/ 1740 / 2 /",
        ]
        let commands = edits.map { "-e '\($0)'" }.joined(separator: " ")
        let template = "\(Program.scripts)/slurm/job.sbatch"
        #expect(try run("sh -c", "sed \(commands) '\(template)' > job.sbatch", in: scratch).status == 0)
        try submit("job.sbatch job.lua", in: scratch)
        try eventually("the last of the jobs is done") {
            scratch.names.contains { $0.hasSuffix(".out") && scratch.read($0)?.contains("600\t1\t600\n") == true }
        }
        #expect(scratch.names.count { $0.hasSuffix(".out") } > 1)
        #expect(LongJob.counts(in: scratch) == Dictionary(uniqueKeysWithValues: (1...600).map { ($0, 1) }))
    }

    @Test("the template in an array gives each job its own input")
    func array() throws {
        let scratch = try Scratch(job: Self.job)
        try submit("--array=1-3 \(Program.scripts)/slurm/job.sbatch job.lua x y z", in: scratch)
        let outputs = scratch.names.filter { $0.hasSuffix(".out") }.compactMap { scratch.read($0) }
        #expect(outputs.sorted() == ["4 x x x\n", "4 y y y\n", "4 z z z\n"])
    }
}
