import DLP
import Testing

@testable import Launcher

@Suite("Lists of hosts")
struct HostListTests {
    /// Returns hosts with their places; 0 where none are given.
    private static func text(_ list: HostList) -> String {
        list.entries.map { "\($0.name)=\($0.places ?? 0)" }.joined(separator: " ")
    }

    @Test(
        "hosts of a command line",
        arguments: [
            ("a:8,b:8,c", "a=8 b=8 c=0"), ("a", "a=0"), (" a:1 , b ", "a=1 b=0"), ("me@a.b-c_d:2", "me@a.b-c_d=2"),
            ("[fd00::1]:4,[fd00::2],me@[::1]", "fd00::1=4 fd00::2=0 me@::1=0"), ("10.1.2.3:4", "10.1.2.3=4"),
            ("a:1,b:2,a:3", "a=1 b=2 a=3"),
        ])
    func list(text: String, expected: String) throws {
        #expect(Self.text(try HostList(SystemString(text))) == expected)
    }

    @Test(
        "what is no list of hosts is refused, above all what ssh or a shell would take for something else",
        arguments: [
            "", ",", "a,", "a:", "a:0", "a:-1", "a:x", "a:+1", "a:99999999999999999999", "-oProxyCommand=x", "a b",
            "a;b",
            "a$(b)", "fd00::1", "[fd00::1", "]a[", "[::1]4", "a`b`", "a'b", "[a]", "a[1]:2",
        ])
    func noList(text: String) { #expect(throws: LaunchError.self) { try HostList(SystemString(text)) } }

    @Test("a list of nodes is no list of hosts, and where those belong is told", arguments: ["n[1-4]", "a,n[1,3]"])
    func nodeList(text: String) throws {
        let error = try #require(throws: LaunchError.self) { try HostList(SystemString(text)) }
        #expect(error.message.contains("--hosts auto") && error.status == 2)
    }

    @Test("a file has a host on each line")
    func file() throws {
        let text = "# ours\na slots=8\r\n\nb:4 # fast\n  c\t\nd slots=2 max_slots=4\nme@[::1]:3"
        #expect(Self.text(try HostList(lines: text, of: "f")) == "a=8 b=4 c=0 d=2 me@::1=3")
    }

    @Test(
        "a line that is no host is named",
        arguments: ["a slots=0", "a 8", "a:1 slots=2", "a slots=", "-x", "a,b", "a slot=2", "a[1]"])
    func wrongLine(line: String) throws {
        let error = try #require(throws: LaunchError.self) { try HostList(lines: "ok\n\(line)\n", of: "hosts.txt") }
        #expect(error.message.contains("line 2 of hosts.txt") && error.status == 2)
    }

    @Test("a file without hosts is refused")
    func emptyFile() { #expect(throws: LaunchError.self) { try HostList(lines: "# nothing\n\n", of: "f") } }

    // MARK: - Batch systems

    private static func batch(_ variables: [String: String], _ file: String = "") -> String? {
        let list = try? BatchHosts.list(variable: { variables[$0] }, file: { _ throws(LaunchError) in file })
        return list.map { text($0) }
    }

    @Test("hosts of batch systems")
    func batchSystems() {
        #expect(Self.batch(["PBS_NODEFILE": "/f"], "a\na\nb\na\n") == "a=3 b=1")
        #expect(Self.batch(["LSB_MCPU_HOSTS": "a 8 b 4"]) == "a=8 b=4")
        #expect(Self.batch(["PE_HOSTFILE": "/f"], "a 8 all.q@a UNDEFINED\nb 4 all.q@b <NULL>\n") == "a=8 b=4")
        #expect(Self.batch(["SLURM_JOB_NODELIST": "n[1-2],m", "SLURM_TASKS_PER_NODE": "2(x2),1"]) == "n1=2 n2=2 m=1")
        #expect(Self.batch(["SLURM_JOB_NODELIST": "n[1-2]", "SLURM_JOB_CPUS_PER_NODE": "8(x2)"]) == "n1=8 n2=8")
        #expect(Self.batch(["SLURM_JOB_NODELIST": "n7"]) == "n7=0")
    }

    @Test("what a batch system cannot have said is refused, and so is none")
    func wrongBatch() {
        #expect(Self.batch([:]) == nil)
        #expect(Self.batch(["PBS_NODEFILE": "/f"], "") == nil)
        #expect(Self.batch(["PBS_NODEFILE": "/f"], "-oX\n") == nil)
        #expect(Self.batch(["LSB_MCPU_HOSTS": "a 8 b"]) == nil)
        #expect(Self.batch(["PE_HOSTFILE": "/f"], "a\n") == nil)
        #expect(Self.batch(["SLURM_JOB_NODELIST": "n[1-2]", "SLURM_TASKS_PER_NODE": "2"]) == nil)
    }

    @Test(
        "Slurm's lists of nodes",
        arguments: [
            ("n[01-03,07]", "n01 n02 n03 n07"), ("a,b[2-3]x,c", "a b2x b3x c"),
            ("r[1-2]n[8-10]", "r1n8 r1n9 r1n10 r2n8 r2n9 r2n10"),
            ("n[098-101]", "n098 n099 n100 n101"), ("n5", "n5"), ("", nil), ("n[", nil), ("n[]", nil), ("n]", nil),
            ("n[3-1]", nil), ("n[1-]", nil), ("n[1-2-3]", nil), ("n[a]", nil), ("n[1-99999999999]", nil),
            ("n[1-1000][1-1000][1-1000]", nil), ("n,,m", nil), ("-n", nil),
        ] as [(String, String?)])
    func nodes(text: String, expected: String?) {
        #expect(SlurmNotation.nodes(text)?.joined(separator: " ") == expected)
    }

    @Test("a list with very many brackets is none")
    func brackets() { #expect(SlurmNotation.nodes(String(repeating: "[1]", count: 43_000)) == nil) }

    @Test(
        "what Slurm says of tasks per node",
        arguments: [
            ("2(x3),1", [2, 2, 2, 1]), ("4", [4]), ("1,2,3", [1, 2, 3]), ("1(x2),5(x1)", [1, 1, 5]), ("", nil),
            ("0", nil),
            ("2(x", nil), ("2(3)", nil), ("2(x0)", nil), ("2(x9999999999)", nil), ("a", nil), ("2,,1", nil),
            ("2(x2)(x2)", nil), ("9223372036854775807(x2)", nil),
        ] as [(String, [Int]?)])
    func tasks(text: String, expected: [Int]?) { #expect(SlurmNotation.tasks(perNode: text) == expected) }
}
