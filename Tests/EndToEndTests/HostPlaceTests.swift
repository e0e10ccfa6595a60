import TestSupport
import Testing

/// What a rank knows about its place on its host.
@Suite("Place on the host")
struct HostPlaceTests {
    @Test("a rank knows its place among those of its host", arguments: Arrangement.allCases)
    func place(_ arrangement: Arrangement) throws {
        let scratch = try Scratch(
            job: """
                local all = dlp.gather(string.format("%d of %d", dlp.LOCAL_RANK, dlp.LOCAL_SIZE))
                if all then table.sort(all) print(table.concat(all, ", ")) end
                """)
        let outcome = try arrangement.run(4, "job.lua", in: scratch)
        // Slurm fills the first of two nodes, as long as there is a rank left for the other.
        let expected =
            arrangement.isSlurm ? "0 of 1, 0 of 3, 1 of 3, 2 of 3" : "0 of 4, 1 of 4, 2 of 4, 3 of 4"
        #expect(outcome.output == expected + "\n" && outcome.status == 0, "\(outcome.output)\(outcome.error)")
    }

    @Test(
        "our launcher's ranks are all on one host, and a rank that is alone is, too",
        arguments: [("", "0 of 1\n"), ("-np 2", "0 of 2\n1 of 2\n")])
    func ours(_ options: String, _ expected: String) throws {
        let outcome = try run(
            "dlp-lua \(options) -e",
            "local all = dlp.gather(dlp.LOCAL_RANK .. ' of ' .. dlp.LOCAL_SIZE) if all then print(table.concat(all, '\\n')) end"
        )
        #expect(outcome.output == expected && outcome.error == "", "\(outcome.error)")
    }

    private static let devices =
        "local d = dlp.gather(os.getenv('CUDA_VISIBLE_DEVICES') or 'none') if d then print(table.concat(d, ' ')) end"

    @Test(
        "each rank of a host is shown one device, by turns",
        arguments: [
            ("--gpus 2", [:], "0 1 0"), ("--gpus 3,5,7", [:], "3 5 7"), ("--gpus 4", [:], "0 1 2"),
            ("--gpus auto", ["CUDA_VISIBLE_DEVICES": "2,GPU-a"], "2 GPU-a 2"), ("", [:], "none none none"),
        ] as [(String, [String: String], String)])
    func gpus(_ options: String, _ variables: [String: String], _ expected: String) throws {
        let outcome = try run("ameexec -np 3 dlp-lua \(options) -e", Self.devices, environment: variables)
        #expect(outcome.output == expected + "\n" && outcome.error == "" && outcome.status == 0, "\(outcome.error)")
    }

    @Test("a device that cannot be is refused", arguments: ["--gpus 0", "--gpus none", "--gpus 1,,2", "--gpus -1"])
    func noGPU(_ options: String) throws {
        let outcome = try run("dlp-lua \(options) -e", "print(1)")
        #expect(outcome.isOneMessage("dlp-lua", with: "gpus must be auto, a number from 1"), "\(outcome.error)")
        #expect(outcome.status == 2 && outcome.output == "")
    }

    @Test("ranks of one host share its processors, unless the user has said how many threads there are")
    func threads() throws {
        let job = "if dlp.IS_ROOT then print(os.getenv('OMP_NUM_THREADS'), os.getenv('OPENBLAS_NUM_THREADS')) end"
        let processors = try #require(Int(try run("nproc").output.filter(\.isNumber)))
        let share = max(1, processors / 2)
        #expect(try run("ameexec -np 2 dlp-lua -e", job).output == "\(share)\t\(share)\n")
        #expect(try run("dlp-lua -e", job).output == "nil\tnil\n")
        let said = try run("ameexec -np 2 dlp-lua -e", job, environment: ["OMP_NUM_THREADS": "7"])
        #expect(said.output == "7\tnil\n")
    }
}
