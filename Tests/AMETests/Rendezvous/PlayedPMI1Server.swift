import DLP
import Glibc
import Synchronization
import Testing

@testable import AME

/// A PMI-1 server for one rank, played by the test.
final class PlayedPMI1Server: Sendable {
    /// Its reaction to a request.
    enum Reaction: Sendable {
        case say(String)
        case bytes([UInt8])
        case silence
        case hangUp
    }

    /// The order in which a server writes the fields of an answer.
    enum Dialect: CaseIterable, Sendable {
        case hydra
        case slurm
    }

    let dialect: Dialect
    /// What the launcher tells about the ranks' hosts; nil: nothing.
    let mapping: String?
    let longestValue: Int
    /// The values that were put, by key, and all requests.
    private let values: Mutex<[String: String]>
    private let log = Mutex<[String]>([])

    init(_ dialect: Dialect = .hydra, contact: String? = nil, mapping: String? = nil, longestValue: Int = 1024) {
        self.dialect = dialect
        self.mapping = mapping
        self.longestValue = longestValue
        values = Mutex(contact.map { ["dlp-root": $0] } ?? [:])
    }

    /// The requests so far.
    var requests: [String] { log.withLock { $0 } }

    /// Returns the right answer to a request.
    func answer(_ request: String) -> Reaction {
        let fields = Dictionary(
            request.split(separator: " ").map { word in
                let parts = word.split(separator: "=", maxSplits: 1)
                return (String(parts[0]), String(parts.last ?? ""))
            }
        ) { first, _ in first }
        let key = fields["key"] ?? ""
        switch fields["cmd"] {
        case "init": return say("response_to_init", "pmi_version=1 pmi_subversion=1")
        case "get_maxes": return say("maxes", "kvsname_max=256 keylen_max=64 vallen_max=\(longestValue)")
        case "get_my_kvsname": return say("my_kvsname", "kvsname=kvs_1")
        case "put":
            values.withLock { $0[key] = fields["value"] }
            return say("put_result", "msg=success")
        case "barrier_in": return say("barrier_out", "")
        case "get":
            let value = key == "PMI_process_mapping" ? mapping : values.withLock { $0[key] }
            guard let value else { return .say("cmd=get_result rc=-1 msg=key_\(key)_not_found value=unknown") }
            return say("get_result", "msg=success value=\(value)")
        case "finalize": return say("finalize_ack", "")
        default: return .hangUp
        }
    }

    private func say(_ command: String, _ rest: String) -> Reaction {
        switch dialect {
        case .hydra: .say("cmd=\(command) \(rest)\(rest.isEmpty ? "" : " ")rc=0")
        case .slurm: .say("cmd=\(command) rc=0 \(rest.split(separator: " ").reversed().joined(separator: " "))")
        }
    }

    /// Serves at the other end of `descriptor` until the rank hangs up.
    ///
    /// - Parameter change: replaces the right answer to the n-th request; nil lets it stand.
    func serve(_ descriptor: Int32, change: (Int, String) -> Reaction? = { _, _ in nil }) {
        defer { close(descriptor) }
        var unread: [UInt8] = []
        while true {
            while let end = unread.firstIndex(of: UInt8(ascii: "\n")) {
                let request = String(decoding: unread[..<end], as: UTF8.self)
                unread.removeSubrange(...end)
                let number = log.withLock { log in
                    log.append(request)
                    return log.count - 1
                }
                switch change(number, request) ?? answer(request) {
                case .say(let line): Self.send(Array("\(line)\n".utf8), to: descriptor)
                case .bytes(let bytes): Self.send(bytes, to: descriptor)
                case .silence: break
                case .hangUp: return
                }
            }
            var buffer = [UInt8](repeating: 0, count: 4096)
            let count = recv(descriptor, &buffer, buffer.count, 0)
            guard count > 0 else { return }
            unread += buffer.prefix(count)
        }
    }

    private static func send(_ bytes: [UInt8], to descriptor: Int32) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            guard count > 0 else { return }
            rest = rest.dropFirst(count)
        }
    }

    /// Lets one rank meet the others through this server, and closes the sockets on which it listens.
    func meet(
        rank: Int = 1, size: Int = 2, claimed: (rank: Int, size: Int)? = nil, within timeout: UInt64 = generous,
        change: @escaping @Sendable (Int, String) -> Reaction? = { _, _ in nil }
    ) throws -> Result<AMEEnvironment, CommunicationError> {
        var ends: [Int32] = [-1, -1]
        try #require(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &ends) == 0)
        let theirs = ends[1]
        let server = try TestThread { self.serve(theirs, change: change) }
        let result = Result { () throws(CommunicationError) in
            try Rendezvous.pmi1(descriptor: ends[0], rank: rank, size: size)
                .meet(claimed: claimed, connectTimeout: timeout)
        }
        switch result {
        case .success(let environment): for listener in environment.listeners { close(listener) }
        // A rank that fails leaves its end open.
        case .failure: close(ends[0])
        }
        try server.join()
        return result
    }
}
