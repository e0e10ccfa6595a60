import DLP
import Glibc
import Testing

@testable import AME

@Suite("The launcher's variables")
struct EnvironmentTests {
    static let key = JobKey()
    static let complete = [
        "AME_HOST": "node1", "AME_PORT": "4711", "AME_RANK": "2", "AME_SIZE": "4", "AME_AUTHKEY": key.base64,
    ]

    static func read(_ changes: [String: String?] = [:]) throws(CommunicationError) -> AMEEnvironment? {
        var variables = complete
        for (name, value) in changes { variables[name] = value }
        return try AMEEnvironment { [variables] in variables[$0] }
    }

    @Test("the variables of dlp_mpi's launcher suffice")
    func complete() throws {
        let environment = try #require(try Self.read())
        #expect(environment.rank == 2 && environment.size == 4)
        #expect(environment.endpoints == [.tcp(host: "node1", port: 4711)])
        #expect(environment.key.base64 == Self.key.base64)
        #expect(environment.listeners.isEmpty && environment.control == nil && environment.columns == nil)
    }

    @Test("without AME_RANK no AME launcher started us")
    func absent() throws { #expect(try Self.read(["AME_RANK": nil]) == nil) }

    @Test("a local socket goes before host and port")
    func local() throws {
        let environment = try #require(
            try Self.read(["AME_SOCKET": "job-1", "AME_HOST": nil, "AME_PORT": nil, "AME_COLUMNS": "80"]))
        #expect(environment.endpoints == [.local(name: "job-1")])
        #expect(environment.columns == 80)
    }

    @Test("an IPv6 address may stand in brackets")
    func brackets() throws {
        #expect(try Self.read(["AME_HOST": "[::1]"])?.endpoints == [.tcp(host: "::1", port: 4711)])
    }

    @Test("a variable that is missing is named", arguments: ["AME_HOST", "AME_PORT", "AME_SIZE", "AME_AUTHKEY"])
    func missing(name: String) {
        for value in [nil, ""] {
            let error = #expect(throws: CommunicationError.self) { try Self.read([name: value]) }
            #expect(error?.description.contains("\(name) is not") == true)
        }
    }

    static let senseless: [(String, String)] = [
        ("AME_RANK", "4"), ("AME_RANK", "-1"), ("AME_RANK", "x"), ("AME_RANK", ""), ("AME_SIZE", "0"),
        ("AME_SIZE", "99999999999999999999"), ("AME_PORT", "0"), ("AME_PORT", "65536"), ("AME_AUTHKEY", "c2hvcnQ="),
        ("AME_AUTHKEY", "not base64!"),
    ]

    @Test("a value that makes no sense is named", arguments: senseless)
    func outOfRange(name: String, value: String) {
        let error = #expect(throws: CommunicationError.self) { try Self.read([name: value]) }
        #expect(error?.description.contains(name) == true)
    }

    @Test(
        "an inherited socket is closed in programs that rank 0 starts", arguments: ["AME_LISTEN_FD", "AME_CONTROL_FD"])
    func descriptors(name: String) throws {
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        let environment = try #require(try Self.read(["AME_RANK": "0", name: String(descriptor)]))
        #expect((name == "AME_LISTEN_FD" ? environment.listeners.first : environment.control) == descriptor)
        #expect(fcntl(descriptor, F_GETFD) & FD_CLOEXEC != 0)
    }

    @Test("a descriptor that is no socket is refused", arguments: ["AME_LISTEN_FD", "AME_CONTROL_FD"])
    func notASocket(name: String) throws {
        let descriptor = open("/dev/null", O_RDONLY)
        for number in [String(descriptor), "99999", "-1", "x"] {
            let error = #expect(throws: CommunicationError.self) { try Self.read(["AME_RANK": "0", name: number]) }
            #expect(error?.description.contains(name) == true)
        }
        close(descriptor)
        #expect(throws: CommunicationError.self) { try Self.read(["AME_RANK": "0", name: String(descriptor)]) }
    }

    @Test("only rank 0 looks at the descriptors")
    func descriptorsOfWorkers() throws {
        let environment = try #require(try Self.read(["AME_LISTEN_FD": "99999", "AME_CONTROL_FD": "x"]))
        #expect(environment.listeners.isEmpty && environment.control == nil)
    }

    @Test("a rank can take its place out of its environment")
    func removal() throws {
        for (name, value) in Self.complete { setenv(name, value, 1) }
        #expect(try AMEEnvironment()?.rank == 2)
        AMEEnvironment.removeFromEnvironment()
        #expect(try AMEEnvironment() == nil)
        for name in AMEVariable.all { #expect(getenv(name) == nil) }
    }

    /// The test vectors of RFC 4648, section 10.
    static let vectors: [(String, String)] = [
        ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE="),
        ("foobar", "Zm9vYmFy"),
    ]

    @Test("base64 is that of RFC 4648", arguments: vectors)
    func base64(plain: String, coded: String) {
        #expect(Base64.encode(Array(plain.utf8)) == coded)
        #expect(Base64.decode(coded) == Array(plain.utf8))
    }

    @Test(
        "what is not base64 is refused",
        arguments: ["Zg", "Zg=", "Z===", "====", "Zm9v!", "Z g=", "Zm9v\n", "Zg==Zg=="])
    func notBase64(text: String) { #expect(Base64.decode(text) == nil) }

    @Test("every byte survives base64")
    func everyByte() {
        let bytes = (0...255).map { UInt8($0) }
        #expect(Base64.decode(Base64.encode(bytes)) == bytes)
    }

    @Test("two keys are not the same")
    func keys() { #expect(JobKey().base64 != JobKey().base64) }
}
