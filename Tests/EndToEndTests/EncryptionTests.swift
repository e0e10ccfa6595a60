import TestSupport
import Testing

/// `--encrypt`, on all ranks or none, over sockets.
@Suite(.hangLimit)
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
        let between = "AES-256-GCM between hosts, none on one; --encrypt turns it on there too"
        #expect(try run("\(command) --info").lines.contains("    Encryption: \(between)"))
        #expect(try run("\(command) --info --encrypt no").lines.contains("    Encryption: none"))
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
        #expect(
            outcome.error.contains(
                "rank \(encrypting) encrypts what the two say to each other, rank \(1 - encrypting) does"),
            "\(outcome.error)")
        #expect(outcome.status == 3 && outcome.output == "")
    }

    @Test("the option has a value or none, and what stands behind the script is the script's")
    func value() throws {
        let scratch = try Scratch(job: "print(dlp.SIZE, table.concat(arg, ' '))")
        for words in [
            "--encrypt", "--encrypt yes", "--encrypt=yes", "--encrypt no", "--encrypt=no", "--encrypt --seed 5",
        ] {
            let outcome = try run("dlp-lua \(words) job.lua --encrypt no yes", in: scratch)
            #expect(outcome.lines == ["1\t--encrypt no yes"] && outcome.error == "", "\(words): \(outcome.error)")
        }
        let wrong = try run("dlp-lua --encrypt=perhaps job.lua", in: scratch)
        #expect(wrong.isOneMessage("dlp-lua", with: "encrypt must be one of yes, no") && wrong.status == 2)
        let join = try run("dlp-lua --join localhost:1 --encrypt no")
        #expect(join.isOneMessage("dlp-lua", with: "always encrypted") && join.status == 2, "\(join.error)")
    }

    @Test("--new-key prints a secret, another one each time")
    func newKey() throws {
        let outcomes = try (0..<2).map { _ in try run("dlp-lua --new-key") }
        for outcome in outcomes {
            #expect(outcome.lines.count == 1 && outcome.lines[0].utf8.count == 43 && outcome.status == 0)
        }
        #expect(outcomes[0].output != outcomes[1].output)
        #expect(try run("dlp-lua --new-key job.lua").status == 2)
    }
}
