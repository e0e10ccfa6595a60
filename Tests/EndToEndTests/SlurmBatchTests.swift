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
            let jobs = try run("squeue -h -r -o %i/%r -j \(number)", in: scratch, environment: environment)
            // One that was put back into the queue would have to wait for two minutes.
            for job in jobs.lines where job.hasSuffix("/BeginTime") {
                let name = job.prefix { $0 != "/" }
                _ = try run("scontrol update JobId=\(name) StartTime=now", in: scratch, environment: environment)
            }
            return jobs.output == ""
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

    /// The template with its other call, which stops a job after two seconds.
    private func writeLongTemplate(in scratch: Scratch) throws {
        let other = "/^# job=/,$ s/^# //"
        let edits = "sed -e 's/^srun/# &/' -e '\(other)' -e 's/ 1740 / 2 /' '\(Program.scripts)/slurm/job.sbatch'"
        #expect(try run("sh -c", "\(edits) > job.sbatch", in: scratch).status == 0)
    }

    @Test("the template's other call has the same job go on until it is done, with what sbatch was given")
    func again() throws {
        let scratch = try LongJob.scratch()
        try scratch.write("count", "600")
        try writeLongTemplate(in: scratch)
        try submit("-J other -n 3 job.sbatch job.lua", in: scratch)
        let outputs = scratch.names.filter { $0.hasSuffix(".out") }
        try #require(outputs.count == 1 && outputs[0].hasPrefix("other-"), "\(scratch.names)")
        let output = try #require(scratch.read(outputs[0]))
        #expect(output.contains("600\t1\t600\n") && output.contains("as --stop-after asks"), "\(output)")
        #expect(scratch.names.filter { $0.hasSuffix(".db") } == ["other.db"])
        #expect(scratch.names.contains("ended.2") && !scratch.names.contains("ended.3"))
        #expect(LongJob.counts(in: scratch) == Dictionary(uniqueKeysWithValues: (1...600).map { ($0, 1) }))
    }

    @Test("the jobs of an array have a journal each, and go on each by itself")
    func arrayAgain() throws {
        let scratch = try Scratch(
            job: """
                function examples() return tonumber(arg[1]) end
                function work(n) os.execute("sleep 0.02") return n end
                function summarize(results) print("all " .. results.n) end
                """)
        try writeLongTemplate(in: scratch)
        try submit("--array=1-2 -N 1 -n 1 job.sbatch job.lua 20 150", in: scratch)
        let outputs = scratch.names.filter { $0.hasSuffix(".out") }.compactMap { scratch.read($0) }
        #expect(outputs.count == 2)
        #expect(outputs.contains("all 20\n"), "\(outputs)")
        #expect(outputs.contains { $0.hasSuffix("all 150\n") && $0.contains("as --stop-after asks") }, "\(outputs)")
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
