import Testing

/// `--encrypt`: all or none of the ranks, over sockets.
@Suite(.timeLimit(.minutes(60)))
struct EncryptionTests {
    @Test("a job is the same, however its ranks meet", arguments: Arrangement.oneOfEach.filter { $0.backend == "ame" })
    func launchers(_ arrangement: Arrangement) throws {
        let job = "function examples() return 20 end function work(n) return ('x'):rep(n * 5000) end "
        let sum = "function summarize(r) local n = 0 for i = 1, r.n do n = n + #r[i] end print(n) end"
        let outcome = try arrangement.run(3, "--encrypt job.lua", in: Scratch(job: job + sum))
        #expect(outcome.lines == ["1050000"] && outcome.error == "" && outcome.status == 0, "\(outcome.error)")
    }

    @Test("--info says whether ranks encrypt", arguments: ["ameexec -np 2 dlp-lua", "dlp-lua -np 3"])
    func info(_ command: String) throws {
        #expect(try run("\(command) --info --encrypt").lines.contains("    Encryption: AES-256-GCM"))
        #expect(try run("\(command) --info").lines.contains("    Encryption: none; --encrypt turns it on"))
    }

    @Test("one process has nobody to keep anything from", arguments: ["--encrypt", ""])
    func alone(_ option: String) throws {
        let outcome = try run("dlp-lua \(option) -e", "dlp.options = {encrypt = true} print(dlp.SIZE)")
        #expect(outcome.lines == ["1"] && outcome.error == "" && outcome.status == 0, "\(outcome.error)")
    }

    @Test("over MPI it is refused, by one message with the remedy")
    func mpi() throws {
        let outcome = try Arrangement.openMPI.run(2, "--encrypt -e print(1)")
        #expect(outcome.complaints.count == 1, "\(outcome.error)")
        #expect(outcome.error.contains("MPI connects them") && outcome.error.contains("--backend ame"))
        #expect(outcome.status == 2 && outcome.output == "")
    }

    @Test("over MPI a script that asks for it is refused, too")
    func mpiScript() throws {
        let outcome = try Arrangement.openMPI.run(
            2, "job.lua",
            in: Scratch(job: "dlp.options = {encrypt = true} function examples() return 3 end work = print"))
        #expect(outcome.error.contains("dlp.options: encrypt is for the sockets between ranks"), "\(outcome.error)")
        #expect(outcome.output == "" && outcome.status != 0)
    }

    @Test("a script that asks for it does not run without, and runs with it")
    func demand() throws {
        let scratch = try Scratch(
            job: "dlp.options = {encrypt = true} function examples() return 3 end function work(n) return n end")
        let without = try run("ameexec -np 2 dlp-lua job.lua", in: scratch)
        #expect(
            without.isOneMessage("dlp-lua", with: "job.lua: dlp.options: encrypt", "start with --encrypt"),
            "\(without.error)")
        #expect(without.status == 2 && without.output == "")
        let with = try run("ameexec -np 2 dlp-lua --encrypt job.lua", in: scratch)
        #expect(with.lines == ["1", "2", "3"] && with.status == 0, "\(with.error)")
    }

    @Test("ranks that were not told the same do not come together", arguments: [0, 1])
    func mixed(_ encrypting: Int) throws {
        let script = "if [ $AME_RANK = \(encrypting) ]; then o=--encrypt; fi; exec dlp-lua $o -e 'print(dlp.barrier())'"
        let outcome = try run("ameexec -np 2 sh -c", script)
        let (root, worker) = encrypting == 0 ? ("with", "without") : ("without", "with")
        #expect(
            outcome.error.contains("rank 0 was started \(root) --encrypt, rank 1 \(worker) it"), "\(outcome.error)")
        #expect(outcome.status == 3 && outcome.output == "")
    }
}
