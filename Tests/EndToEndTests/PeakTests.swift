import TestSupport
import Testing

/// How much memory large values need when they are sent: that of a value, of its encoded form, and little else.
@Suite(.serialized, .hangLimit)
struct PeakTests {
    /// A way to start a job, with its number of ranks.
    enum Start: CaseIterable {
        case two, five, encrypted, openMPI

        func run(_ scratch: Scratch) throws -> Outcome {
            switch self {
            case .two: try EndToEndTests.run("ameexec -np 2 dlp-lua job.lua", in: scratch)
            case .five: try EndToEndTests.run("ameexec -np 5 dlp-lua job.lua", in: scratch)
            case .encrypted: try EndToEndTests.run("ameexec -np 2 dlp-lua --encrypt job.lua", in: scratch)
            case .openMPI: try Arrangement.openMPI.run(3, "job.lua", in: scratch)
            }
        }
    }

    /// Makes a value of 117 MB, whose encoded form has 109 MB, and prints a rank's peak.
    ///
    /// The peak is how much more memory, in MB, the rank has had than at the beginning. Making the value needs less
    /// than sending it.
    private static let value = """
        local function peak()
          local status <close> = io.open("/proc/self/status")
          return tonumber(status:read("a"):match("VmHWM:%s*(%d+)")) * 1024 // 1000000
        end
        local before = peak()
        local function tell(what) io.write(("%s %d %d\\n"):format(what, dlp.RANK, peak() - before)) end
        local function make()
          local floats = {}
          for k = 1, 1 << 20 do floats[k] = k + 0.5 end
          return {("x"):rep(100000000), floats}
        end

        """

    /// The additional memory that is allowed: for the rest of the program, and for data on its way between two
    /// places.
    private static let slack = 64

    /// Returns the peaks that a job prints, by rank.
    private func peaks(_ job: String, _ start: Start) throws -> [Int: Int] {
        let outcome = try start.run(Scratch(job: Self.value + job))
        #expect(outcome.status == 0 && outcome.error == "", "\(outcome.error)")
        var peaks: [Int: Int] = [:]
        for line in outcome.lines {
            let words = line.split(separator: " ").compactMap { Int($0) }
            if words.count == 2 { peaks[words[0]] = words[1] }
        }
        return peaks
    }

    @Test(
        "to broadcast a value takes no more than the value and its encoded form, on each rank",
        arguments: Start.allCases)
    func broadcast(_ start: Start) throws {
        let job = """
            local value = dlp.bcast(dlp.RANK == 0 and make() or nil)
            assert(#value[1] == 100000000 and value[2][1 << 20] == (1 << 20) + 0.5)
            tell("peak")
            """
        let peaks = try peaks(job, start)
        #expect(peaks.count > 1)
        for (rank, peak) in peaks { #expect(peak <= 117 + 109 + Self.slack, "rank \(rank): \(peak) MB") }
    }

    @Test(
        "to gather values takes no more than the values and their encoded forms, on each rank",
        arguments: Start.allCases)
    func gather(_ start: Start) throws {
        let job = """
            local all = dlp.gather(make())
            if all then for rank = 1, all.n do assert(all[rank][2][1 << 20] == (1 << 20) + 0.5) end end
            tell("peak")
            """
        let peaks = try peaks(job, start)
        #expect(peaks.count > 1)
        for (rank, peak) in peaks {
            // The root's own value needs no encoded form.
            let most = rank == 0 ? peaks.count * 117 + (peaks.count - 1) * 109 : 117 + 109
            #expect(peak <= most + Self.slack, "rank \(rank) of \(peaks.count): \(peak) MB")
        }
    }
}
