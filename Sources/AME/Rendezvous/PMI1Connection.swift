import DLP
import Glibc

/// Lines to and from a PMI-1 server, which is not trusted to answer, or to answer sensibly.
final class PMI1Connection {
    /// Where the session fails, the socket is kept until the process ends.
    ///
    /// Hydra takes a connection that closes for the death of its rank, and kills all ranks before this one has said
    /// what is wrong.
    private let kept: Unmanaged<Socket>
    private var socket: Socket { kept.takeUnretainedValue() }
    private let limit: TimeLimit
    private var unread: [UInt8] = []

    init(_ socket: Socket, within limit: TimeLimit) {
        kept = .passRetained(socket)
        self.limit = limit
    }

    /// Closes the connection, once, after a session that went well; nothing can be asked any more.
    func close() { kept.release() }

    /// Sends a request and waits for its answer.
    ///
    /// - Parameters:
    ///   - words: The request's command, and its fields.
    ///   - answer: The command of the answer.
    ///   - silence: The message where none comes in time; by default one that says so.
    ///   - mayRefuse: Whether a refusal is accepted as an answer.
    /// - Throws: `CommunicationError` where no such answer comes, or one that is an error.
    @discardableResult
    func ask(
        _ words: String, for answer: String, silence: String? = nil, mayRefuse: Bool = false
    ) throws(CommunicationError) -> PMI1Line {
        let command = String(words.prefix { $0 != " " })
        guard socket.sendWhole(Array("cmd=\(words)\n".utf8)) else { throw failure(of: command, "it does not listen") }
        return try receive(answer, after: command, silence: silence, mayRefuse: mayRefuse)
    }

    /// Waits for a line that the server sends.
    func receive(
        _ answer: String, after command: String, silence: String? = nil, mayRefuse: Bool = false
    ) throws(CommunicationError) -> PMI1Line {
        let bytes = try receiveLine(after: command, silence: silence)
        guard let line = PMI1Line(bytes), line.command == answer else {
            throw failure(of: command, "it answers what is not PMI-1")
        }
        guard !mayRefuse, let code = line["rc"], code != "0" else { return line }
        throw failure(of: command, "it refuses with code \(code)\(line["msg"].map { " (\($0))" } ?? "")")
    }

    private func receiveLine(after command: String, silence: String?) throws(CommunicationError) -> [UInt8] {
        while true {
            if let end = unread.firstIndex(of: UInt8(ascii: "\n")) {
                defer { unread.removeSubrange(...end) }
                return Array(unread[..<end])
            }
            guard unread.count <= PMI1Line.longest else { throw failure(of: command, "its answer has no end") }
            guard socket.wait(for: POLLIN, until: limit.deadline) else {
                if let silence { throw CommunicationError(silence) }
                throw failure(of: command, "it does not answer within \(limit)")
            }
            var buffer = [UInt8](repeating: 0, count: PMI1Line.longest)
            switch buffer.withUnsafeMutableBytes({ socket.receive(into: $0) }) {
            case .count(let count): unread += buffer.prefix(count)
            case .wouldBlock: break
            case .ended(let reason): throw failure(of: command, reason)
            }
        }
    }

    private func failure(of command: String, _ reason: String) -> CommunicationError {
        CommunicationError(
            "the launcher's PMI server does not let the ranks meet (\(command): \(reason)): see the launcher's own "
                + "messages, or use another launcher")
    }
}
