import DLP

/// A message between launcher and agent: a kind and its fields.
protocol AgentMessage {
    /// The kind's number, which `init(kind:_:)` reads.
    var kind: UInt8 { get }
    func write(to writer: inout MessageWriter)
    init(kind: UInt8, _ reader: inout MessageReader) throws(MessageError)
}

extension AgentMessage {
    /// The encoded message: the number of bytes that follow (4 bytes, little-endian), the kind, the fields.
    var frame: [UInt8] {
        var writer = MessageWriter()
        write(to: &writer)
        var frame: [UInt8] = []
        frame.reserveCapacity(writer.bytes.count + 5)
        withUnsafeBytes(of: UInt32(writer.bytes.count + 1).littleEndian) { frame.append(contentsOf: $0) }
        frame.append(kind)
        frame += writer.bytes
        return frame
    }
}

/// Splits the arriving bytes into messages.
struct MessageParser {
    /// The largest length of a message.
    ///
    /// Arguments and environment are far shorter than that on every system.
    static let longest = 1 << 24

    private var bytes: [UInt8] = []
    private var start = 0

    mutating func append(_ more: some Sequence<UInt8>) { bytes.append(contentsOf: more) }

    /// Returns the next message, if it has arrived completely.
    mutating func next<Message: AgentMessage>(_: Message.Type = Message.self) throws(MessageError) -> Message? {
        let rest = bytes[start...]
        guard rest.count >= 4 else { return compact() }
        let length = rest.prefix(4).reversed().reduce(0) { $0 << 8 | Int($1) }
        guard (1...Self.longest).contains(length) else { throw MessageError() }
        guard rest.count >= 4 + length else { return compact() }
        var reader = MessageReader(rest[(start + 5)..<(start + 4 + length)])
        let message = try Message(kind: rest[start + 4], &reader)
        try reader.finish()
        start += 4 + length
        return message
    }

    private mutating func compact<Message>() -> Message? {
        bytes.removeFirst(start)
        start = 0
        return nil
    }
}

/// The numbers of ranks.
private let ranks = 0...Int(Int32.max)
private let signals = 1...64
/// The numbers of connections.
private let ids = 0...(1 << 32)
/// The values of statuses and of amounts of bytes.
private let statuses = 0...255
private let amounts = 1...MessageParser.longest

extension ToAgent: AgentMessage {
    var kind: UInt8 {
        switch self {
        case .prepare: 1
        case .start: 2
        case .signal: 3
        case .signalLeftovers: 4
        case .input: 5
        case .control: 6
        case .credit: 7
        case .suspend: 8
        case .resume: 9
        case .ping: 10
        case .leave: 11
        case .tunnel: 12
        }
    }

    func write(to writer: inout MessageWriter) {
        switch self {
        case .prepare(let preparation): preparation.write(to: &writer)
        case .start(let order): order.write(to: &writer)
        case .signal(let rank, let signal):
            writer.put(rank)
            writer.put(Int(signal))
        case .signalLeftovers(let signal): writer.put(Int(signal))
        case .input(let bytes): writer.put(bytes)
        case .control(let text): writer.put(text)
        case .credit(let rank, let stream, let count):
            writer.put(rank)
            writer.put(Int(stream.rawValue))
            writer.put(count)
        case .tunnel(let id, let word): word.write(id, to: &writer)
        case .suspend, .resume, .ping, .leave: break
        }
    }

    init(kind: UInt8, _ reader: inout MessageReader) throws(MessageError) {
        switch kind {
        case 1: self = .prepare(try Preparation(&reader))
        case 2: self = .start(try RankOrder(&reader))
        case 3: self = .signal(rank: try reader.number(in: ranks), Int32(try reader.number(in: signals)))
        case 4: self = .signalLeftovers(Int32(try reader.number(in: signals)))
        case 5: self = .input(try reader.field())
        case 6: self = .control(try reader.text())
        case 7:
            self = .credit(
                rank: try reader.number(in: ranks), try RankStream(&reader), try reader.number(in: amounts))
        case 8: self = .suspend
        case 9: self = .resume
        case 10: self = .ping
        case 11: self = .leave
        case 12:
            let id = try reader.number(in: ids)
            self = .tunnel(id, try TunnelWord(&reader))
        default: throw MessageError()
        }
    }
}

extension FromAgent: AgentMessage {
    var kind: UInt8 {
        switch self {
        case .hello: 1
        case .ready: 2
        case .refused: 3
        case .started: 4
        case .notStarted: 5
        case .output: 6
        case .ended: 7
        case .control: 8
        case .inputCredit: 9
        case .alone: 10
        case .ping: 11
        case .entrance: 12
        case .tunnel: 13
        }
    }

    func write(to writer: inout MessageWriter) {
        switch self {
        case .hello(let hello):
            // In every version, the version comes first.
            writer.put(hello.version)
            writer.put(hello.identity)
            writer.put(hello.hostName)
            writer.put(hello.cpus)
        case .ready(let place): writer.put(place.map { [$0] } ?? []) { $1.write(to: &$0) }
        case .refused(let reason): writer.put(reason)
        case .started(let rank, let pid):
            writer.put(rank)
            writer.put(pid)
        case .notStarted(let rank, let reason, let status):
            writer.put(rank)
            writer.put(reason)
            writer.put(Int(status))
        case .output(let rank, let stream, let bytes):
            writer.put(rank)
            writer.put(Int(stream.rawValue))
            writer.put(bytes)
        case .ended(let rank, let ending):
            writer.put(rank)
            switch ending {
            case .exited(let status): writer.put(Int(status))
            case .signalled(let signal): writer.put(-Int(signal))
            case .lost: preconditionFailure("an agent that speaks has not lost its host")
            }
        case .control(let text): writer.put(text)
        case .inputCredit(let count): writer.put(count)
        case .entrance(let port): writer.put(port)
        case .tunnel(let id, let word): word.write(id, to: &writer)
        case .alone, .ping: break
        }
    }

    init(kind: UInt8, _ reader: inout MessageReader) throws(MessageError) {
        switch kind {
        case 1: self = .hello(try AgentHello(&reader))
        case 2:
            let places = try reader.list { reader throws(MessageError) in try RootPlace(&reader) }
            guard places.count <= 1 else { throw MessageError() }
            self = .ready(places.first)
        case 3: self = .refused(try reader.text())
        case 4: self = .started(rank: try reader.number(in: ranks), pid: try reader.number(in: ranks))
        case 5:
            self = .notStarted(
                rank: try reader.number(in: ranks), reason: try reader.text(),
                status: Int32(try reader.number(in: statuses)))
        case 6: self = .output(rank: try reader.number(in: ranks), try RankStream(&reader), try reader.field())
        case 7:
            let rank = try reader.number(in: ranks)
            let result = try reader.number(in: -signals.upperBound...statuses.upperBound)
            self = .ended(rank: rank, result < 0 ? .signalled(Int32(-result)) : .exited(Int32(result)))
        case 8: self = .control(try reader.text())
        case 9: self = .inputCredit(try reader.number(in: amounts))
        case 10: self = .alone
        case 11: self = .ping
        case 12: self = .entrance(port: try reader.number(in: 1...65535))
        case 13:
            let id = try reader.number(in: ids)
            self = .tunnel(id, try TunnelWord(&reader))
        default: throw MessageError()
        }
    }
}

extension RankStream {
    fileprivate init(_ reader: inout MessageReader) throws(MessageError) {
        guard let stream = RankStream(rawValue: UInt8(try reader.number(in: 0...255))) else { throw MessageError() }
        self = stream
    }
}

extension TunnelWord {
    fileprivate func write(_ id: Int, to writer: inout MessageWriter) {
        writer.put(id)
        switch self {
        case .open: writer.put(0)
        case .data(let bytes):
            writer.put(1)
            writer.put(bytes)
        case .credit(let count):
            writer.put(2)
            writer.put(count)
        case .close: writer.put(3)
        }
    }

    fileprivate init(_ reader: inout MessageReader) throws(MessageError) {
        switch try reader.number() {
        case 0: self = .open
        case 1: self = .data(try reader.field())
        case 2: self = .credit(try reader.number(in: amounts))
        case 3: self = .close
        default: throw MessageError()
        }
    }
}

extension AgentHello {
    /// Of a message of another version, only `version` is read.
    fileprivate init(_ reader: inout MessageReader) throws(MessageError) {
        version = try reader.text()
        (identity, hostName, cpus) = ("", "", 1)
        if version != Version.current {
            reader.skipRest()
            return
        }
        identity = try reader.text()
        hostName = try reader.text()
        cpus = try reader.number(in: 1...(1 << 20))
    }
}

extension Preparation {
    fileprivate func write(to writer: inout MessageWriter) {
        writer.put(directory)
        writer.put(command) { $0.put($1) }
        writer.put(isCompanion)
        writer.put(exports) { $0.put($1) }
        writer.put(hasRoot)
        writer.put(isOneHost)
        writer.put(tunnels)
    }

    fileprivate init(_ reader: inout MessageReader) throws(MessageError) {
        directory = try reader.field()
        command = try reader.list { reader throws(MessageError) in try reader.field() }
        isCompanion = try reader.truth()
        exports = try reader.list { reader throws(MessageError) in try reader.field() }
        hasRoot = try reader.truth()
        isOneHost = try reader.truth()
        tunnels = try reader.truth()
        if command.isEmpty { throw MessageError() }
    }
}

extension RootPlace {
    fileprivate func write(to writer: inout MessageWriter) {
        writer.put(socketName)
        writer.put(freePort)
        writer.put(port)
        writer.put(addresses) { $0.put($1) }
    }

    fileprivate init(_ reader: inout MessageReader) throws(MessageError) {
        socketName = try reader.text()
        freePort = try reader.number(in: 1...65535)
        port = try reader.number(in: 0...65535)
        addresses = try reader.list { reader throws(MessageError) in try reader.text() }
        // These texts become words in an environment.
        let words = addresses + [socketName]
        guard words.allSatisfy({ $0.utf8.allSatisfy { (0x21...0x7E).contains($0) && $0 != UInt8(ascii: ",") } }) else {
            throw MessageError()
        }
    }
}

extension RankOrder {
    fileprivate func write(to writer: inout MessageWriter) {
        writer.put(ranks) { $0.put($1) }
        writer.put(size)
        writer.put(localRanks) { $0.put($1) }
        writer.put(localSize)
        writer.put(rendezvous) { $0.put($1) }
        writer.put(readingRank)
        writer.put(bindsToCore)
        writer.put(columns)
    }

    fileprivate init(_ reader: inout MessageReader) throws(MessageError) {
        ranks = try reader.list { reader throws(MessageError) in try reader.number(in: 0...Int(Int32.max)) }
        size = try reader.number(in: 1...Int(Int32.max))
        localRanks = try reader.list { reader throws(MessageError) in try reader.number(in: 0...Int(Int32.max)) }
        localSize = try reader.number(in: 1...Int(Int32.max))
        rendezvous = try reader.list { reader throws(MessageError) in try reader.field() }
        readingRank = try reader.number(in: -1...Int(Int32.max))
        bindsToCore = try reader.truth()
        columns = try reader.number(in: 0...Int(Int32.max))
        guard ranks.count == localRanks.count, zip(ranks, ranks.dropFirst()).allSatisfy(<),
            ranks.allSatisfy({ $0 < size })
        else { throw MessageError() }
    }
}
