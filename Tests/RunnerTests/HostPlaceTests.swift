import Testing

@testable import Runner

@Suite("Place on the host")
struct HostPlaceTests {
    private static func facts(_ variables: [String: String]) -> ProcessFacts {
        ProcessFacts(
            variable: { variables[$0] }, isSocket: { _ in false }, mpi: { _ in .missing("") }, pmix: { .missing("") })
    }

    @Test(
        "a place in a step is that on its node, where all that is said fits",
        arguments: [
            ("1", "3", "2(x3),2", 1, 2), ("0", "0", "1", 0, 1), ("2", "0", "2", nil, nil),
            ("0", "4", "2(x3)", nil, nil),
            ("x", "0", "2", nil, nil),
        ] as [(String, String, String, Int?, Int?)])
    func slurm(id: String, node: String, tasks: String, rank: Int?, size: Int?) {
        let place = HostPlace.inSlurm(
            Self.facts(["SLURM_LOCALID": id, "SLURM_NODEID": node, "SLURM_STEP_TASKS_PER_NODE": tasks]))
        #expect(place?.rank == rank && place?.size == size)
    }

    @Test("ranks that were started by hand have a place where they are all on this host")
    func byHand() {
        let rank = ["AME_RANK": "1", "AME_SIZE": "3"]
        func place(_ host: String) -> HostPlace? {
            HostPlace.launchedByAME(Self.facts(rank.merging(["AME_HOST": host]) { $1 }))
        }
        #expect(place("127.0.0.1") == HostPlace(rank: 1, size: 3) && place("node1") == nil)
        #expect(HostPlace(Self.facts(["A": "3", "B": "3"]), rank: "A", size: "B") == nil)
    }

    @Test(
        "which devices there are to choose from",
        arguments: [
            ("auto", nil, 0, []), ("auto", nil, 2, ["0", "1"]), ("auto", "4,5", 8, ["4", "5"]), ("auto", "", 2, []),
            ("3", "4,5", 8, ["0", "1", "2"]), ("6,1", nil, 0, ["6", "1"]),
        ] as [(String, String?, Int, [String])])
    func devices(wish: String, given: String?, found: Int, expected: [String]) throws {
        #expect(try #require(DeviceWish(wish)).devices(given: given, found: found) == expected)
    }

    @Test("what is no list of devices", arguments: ["", "0", "-1", "2000", "all", "1,", "a b,c", "0,\n1"])
    func noDevices(text: String) { #expect(DeviceWish(text) == nil) }
}
