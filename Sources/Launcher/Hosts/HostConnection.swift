import CSystem
import DLP
import Glibc

/// The launcher's connection with the agent on one host.
final class HostConnection {
    /// How much is kept of what ssh says.
    private static let mostWords = 4096

    /// Why a host cannot do its part.
    struct Failure {
        /// A sentence that begins behind the host's name.
        var reason: String
        var status: Int32
    }

    /// A stream of one of its ranks.
    struct Stream {
        /// The pump's number for it.
        let feed: Int
        /// Bytes that have come, and for which no others may come yet.
        var owed = 0
    }

    /// Its number among the hosts, from 0.
    let index: Int
    let name: String
    let link: MessageLink<FromAgent, ToAgent>
    /// What the command that connects says, such as ssh's own messages.
    let errors: Int32
    private var words: [UInt8] = []
    /// Whether the agent may still say something.
    var isOpen = true
    /// When it ceased to be so.
    var closingTime: UInt64 = 0
    /// How the process here that connects with it ended.
    var processEnding: Ending?
    var hello: AgentHello?
    /// Whether it has been asked whether the job can run there.
    var isAsked = false
    /// Whether the job can run there.
    var isReady = false
    /// The port at which its agent takes connections to rank 0, where they go through a tunnel.
    var entrance: Int?
    /// Where rank 0 listens, where it runs there.
    var root: RootPlace?
    /// The ranks there, in ascending order.
    var ranks: [Int] = []
    /// Those that have not ended.
    var running: Set<Int> = []
    var pids: [Int: Int] = [:]
    var streams: [Int: [RankStream: Stream]] = [:]
    /// Whether nothing runs there any more.
    var isAlone = false
    /// Whether it has been told that the job is over.
    var isLeaving = false
    /// Why it does nothing more; nil as long as it does.
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

    /// Whether it does its part.
    var isUp: Bool { failure == nil && isOpen }

    /// The ranks there that may still have written something, in ascending order.
    var unfinished: [Int] { ranks.filter { streams[$0]?.isEmpty == false } }

    /// Reads what ssh says; false once it says nothing more.
    func readErrors() -> Bool {
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = read(errors, &buffer, buffer.count)
        if count < 0 { return errno == EAGAIN || errno == EINTR }
        words += buffer[..<count]
        words.removeFirst(max(0, words.count - Self.mostWords))
        return count > 0
    }

    /// The last line that ssh, or the agent, has said; nil where there is none.
    var lastWords: String? {
        let lines = String(decodingVisibly: words).split(whereSeparator: \.isNewline)
        return lines.last { !$0.allSatisfy(\.isWhitespace) }.map { String($0) }
    }

    /// Why it has closed the connection, once its process has ended.
    func explainEnd(_ shell: RemoteShell) -> Failure {
        while readErrors(), !words.isEmpty, poll(errors) {}
        let words = lastWords.map { ": \($0)" } ?? ""
        let isHere = RemoteShell.isHere(name)
        if hello != nil {
            let end = processEnding.map { "\(isHere ? "its agent" : shell.name) \($0)" } ?? "it closed the connection"
            return Failure(reason: "the connection broke\(words.isEmpty ? ": \(end)" : words)", status: 3)
        }
        switch processEnding {
        // From before there were agents.
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
