import CSystem
import DLP
import Glibc

/// The launcher's connection with the agent on one host.
final class HostConnection {
    /// How many bytes of ssh's messages are kept.
    private static let mostWords = 4096

    /// Why a host cannot take part.
    struct Failure {
        /// A predicate that follows the host's name.
        var reason: String
        var status: Int32
    }

    /// An output stream of one of the host's ranks.
    struct Stream {
        /// The pump's number for it.
        let feed: Int
        /// Bytes that have come, for which the rank has not yet been allowed to send more.
        var owed = 0
    }

    /// The host's number, from 0.
    let index: Int
    let name: String
    let link: MessageLink<FromAgent, ToAgent>
    /// The messages of the command that connects, such as ssh.
    let errors: Int32
    private var words: [UInt8] = []
    /// Whether the agent may still send something.
    var isOpen = true
    /// The time at which `isOpen` became false.
    var closingTime: UInt64 = 0
    /// How the local process that connects to the host ended.
    var processEnding: Ending?
    var hello: AgentHello?
    /// Whether the host has been asked if the job can run there.
    var isAsked = false
    /// Whether the job can run there.
    var isReady = false
    /// The port at which the host's agent takes connections to rank 0, where they go through a tunnel.
    var entrance: Int?
    /// Where rank 0 listens, if it runs on this host.
    var root: RootPlace?
    /// The ranks there, in ascending order.
    var ranks: [Int] = []
    /// The ranks that have not ended.
    var running: Set<Int> = []
    var pids: [Int: Int] = [:]
    var streams: [Int: [RankStream: Stream]] = [:]
    /// Whether nothing runs on the host any more.
    var isAlone = false
    /// Whether the host has been told that the job is over.
    var isLeaving = false
    /// Why the host has stopped taking part; nil as long as it takes part.
    var failure: Failure?

    /// Takes over the descriptors.
    init(index: Int, name: String, input: Int32, output: Int32, errors: Int32) {
        self.index = index
        self.name = name
        self.errors = errors
        link = MessageLink(reader: output, writer: input, after: AgentRules.preamble)
        _ = fcntl(errors, F_SETFL, O_NONBLOCK)
    }

    deinit {
        close(link.reader)
        close(link.writer)
        close(errors)
    }

    /// Whether the host takes part.
    var isUp: Bool { failure == nil && isOpen }

    /// The ranks whose output may not be complete, in ascending order.
    var unfinished: [Int] { ranks.filter { streams[$0]?.isEmpty == false } }

    /// Reads ssh's messages; returns false once they have ended.
    func readErrors() -> Bool {
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = read(errors, &buffer, buffer.count)
        if count < 0 { return errno == EAGAIN || errno == EINTR }
        words += buffer[..<count]
        words.removeFirst(max(0, words.count - Self.mostWords))
        return count > 0
    }

    /// The last line that ssh or the agent has written; nil where there is none.
    var lastWords: String? {
        let lines = String(decodingVisibly: words).split(whereSeparator: \.isNewline)
        return lines.last { !$0.allSatisfy(\.isWhitespace) }.map { String($0) }
    }

    /// Returns why the host has closed the connection, once the connecting process has ended.
    func explainEnd(_ shell: RemoteShell) -> Failure {
        while readErrors(), !words.isEmpty, poll(errors) {}
        let words = lastWords.map { ": \($0)" } ?? ""
        let isHere = RemoteShell.isHere(name)
        if hello != nil {
            let end = processEnding.map { "\(isHere ? "its agent" : shell.name) \($0)" } ?? "it closed the connection"
            return Failure(reason: "the connection broke\(words.isEmpty ? ": \(end)" : words)", status: 3)
        }
        switch processEnding {
        // The host has a version from before there were agents.
        case .exited(2) where words.contains("no option --agent"):
            return Failure(reason: RemoteShell.describe(version: "another version"), status: 2)
        case .exited(255) where !isHere: return Failure(reason: "cannot be reached by \(shell.name)\(words)", status: 3)
        case .exited(126) where !isHere, .exited(127) where !isHere:
            return Failure(
                reason: "cannot start \(shell.agent)\(words); install the same version there, or name its directory by "
                    + "--remote-path", status: 2)
        case let ending:
            return Failure(
                reason:
                    "has started no agent: its process \(ending.map { "\($0)" } ?? "closed the connection")\(words)",
                status: 3)
        }
    }

    private func poll(_ descriptor: Int32) -> Bool {
        var request = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        return Glibc.poll(&request, 1, 0) == 1 && request.revents & Int16(POLLIN) != 0
    }
}
