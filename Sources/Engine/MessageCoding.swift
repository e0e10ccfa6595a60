import Codec
import Scheduling

// What the words and the body of a `Message` hold, by its kind. Only this file defines it.
//
//     kind         operation  first      count      extra         cpu     body
//     collective   number     root       announces  line, which           bytes
//     enter        loop       length     works                            options, host
//     begin        loop       length     works                            options, host, elements
//     resume       loop                                                   options, host
//     done, part   loop       first      completed  nanoseconds   cpu     results
//     failed       loop       first      completed  nanoseconds   cpu     fault, results
//     leave, delivered, retire, deliver: loop
//     traces       loop                                                   layout, traces, examples
//     length       loop                  count
//     results      loop       first      count      stride                results
//     givenUp                 example                                     fault
//     fault                                                               fault
//     exit                    example    status
//     assign       loop       first      count      give back     stride  examples
//     list         loop                  length                           list
//     end          loop       cut short  length
//     stop                    early      status
//     welcome                 rank       size
//     offer, refusal: the body; goodbye, halt: nothing
//
// An unknown length is -1, truth values are 1 and 0. The reports `done`, `part` and `failed` have a sixth word, `peak`.

/// An impossible message; `clause` follows the name of the rank that sent it.
package struct ImpossibleMessage: Error, Equatable {
    package let clause: String

    static let unreadable = ImpossibleMessage(clause: "sent a report that cannot be read")
    static let misdirected = ImpossibleMessage(clause: "sent a message that only rank 0 sends")
}

extension Message {
    /// A rank's message to the root, as it is sent.
    public init(toRoot message: ToRoot) {
        switch message {
        case .collective(let collective): self.init(collective)
        case .enter(let loop, let entry):
            self.init(
                entry.beginning == nil ? .enter : .begin, operation: loop, first: entry.length ?? -1,
                count: entry.isWorking ? 1 : 0, body: entry.encoded)
        case .resume(let loop, let options, let host):
            self.init(.resume, operation: loop, body: LoopEntry(options: options, host: host).encoded)
        case .done(let loop, let report): self.init(report.goesOn ? .part : .done, loop, report, body: report.results)
        case .failed(let loop, let report, let fault):
            var body = ByteWriter()
            body.append(fault.encoded)
            body.append(report.results)
            self.init(.failed, loop, report, body: body.finish())
        case .traces(let loop, let report): self.init(.traces, operation: loop, body: report.encoded)
        case .leave(let loop): self.init(.leave, operation: loop)
        case .length(let loop, let count): self.init(.length, operation: loop, count: count)
        case .results(let loop, let run):
            self.init(
                .results, operation: loop, first: run.first, count: run.count, extra: Int64(run.stride),
                body: run.results)
        case .delivered(let loop): self.init(.delivered, operation: loop)
        case .retire(let loop): self.init(.retire, operation: loop)
        case .givenUp(let example, let fault): self.init(.givenUp, first: example, body: fault.encoded)
        case .fault(let fault): self.init(.fault, body: fault.encoded)
        case .exit(let status, let example): self.init(.exit, first: example ?? 0, count: Int(status))
        case .goodbye: self.init(.goodbye)
        }
    }

    /// The root's message to a rank, as it is sent.
    public init(toWorker message: ToWorker) {
        switch message {
        case .collective(let collective): self.init(collective)
        case .assign(let loop, let chunk, let giveBackAfter, let examples):
            self.init(
                .assign, operation: loop, first: chunk.first, count: chunk.count, extra: giveBackAfter,
                cpu: Int64(chunk.stride), body: examples)
        case .elements(let loop, let list, let length): self.init(.list, operation: loop, count: length, body: list)
        case .deliver(let loop): self.init(.deliver, operation: loop)
        case .halt: self.init(.halt)
        case .end(let loop, let length, let isCutShort):
            self.init(.end, operation: loop, first: isCutShort ? 1 : 0, count: length ?? -1)
        case .goodbye: self.init(.goodbye)
        case .stop(let status, let isEarly): self.init(.stop, first: isEarly ? 1 : 0, count: Int(status))
        case .welcome(let rank, let size): self.init(.welcome, first: rank, count: size)
        case .offer(let offer): self.init(.offer, body: offer)
        case .refusal(let reason): self.init(.refusal, body: Bytes(Array(reason.utf8)))
        }
    }

    private init(_ kind: Kind, _ loop: UInt64, _ report: ChunkReport, body: Bytes) {
        self.init(
            kind, operation: loop, first: report.first, count: report.completed, extra: report.nanoseconds,
            cpu: report.cpu, peak: report.peak, body: body)
    }

    private init(_ collective: CollectiveMessage) {
        self.init(
            .collective, operation: collective.number, first: collective.root,
            count: collective.isAnnouncement ? 1 : 0,
            extra: Int64(collective.operation.rawValue) | Int64(collective.line) << 8, body: collective.bytes)
    }

    /// Decodes the collective of which this is a part.
    fileprivate func collective() throws(ImpossibleMessage) -> CollectiveMessage {
        guard let which = Collective(rawValue: UInt8(truncatingIfNeeded: extra)) else {
            throw ImpossibleMessage(clause: "is at a collective that this program does not know")
        }
        return CollectiveMessage(
            number: operation, operation: which, line: Int(extra >> 8), root: Int(first), isAnnouncement: count != 0,
            bytes: body)
    }

    /// The length in a word; nil where it is unknown.
    fileprivate static func length(_ word: Int64) -> Int? { word < 0 ? nil : Int(word) }
}

extension ToRoot {
    /// Decodes a message of the rank `source` to the root.
    ///
    /// - Throws: `ImpossibleMessage` where the message makes no sense by itself. Whether it fits the state of the job
    ///   is for the receiver to check.
    init(_ message: Message, from source: Int) throws(ImpossibleMessage) {
        let loop = message.operation
        switch message.kind {
        case .collective: self = .collective(try message.collective())
        case .enter, .begin:
            guard var entry = LoopEntry(encoded: message.body, hasBeginning: message.kind == .begin) else {
                throw ImpossibleMessage(
                    clause: message.kind == .begin
                        ? "began a loop with impossible options" : "entered a loop with impossible options")
            }
            entry.length = Message.length(message.first)
            entry.isWorking = message.count != 0
            self = .enter(loop: loop, entry)
        case .resume:
            guard let entry = LoopEntry(encoded: message.body, hasBeginning: false) else {
                throw ImpossibleMessage(clause: "returned to a loop with impossible options")
            }
            self = .resume(loop: loop, entry.options, host: entry.host)
        case .done, .part: self = .done(loop: loop, ChunkReport(message, results: message.body))
        case .failed:
            guard let end = message.body.endOfFirstValue, let fault = Fault(encoded: message.body[0..<end]) else {
                throw .unreadable
            }
            self = .failed(
                loop: loop, ChunkReport(message, results: message.body[end..<message.body.count]), fault)
        case .traces:
            guard let report = TraceReport(encoded: message.body) else { throw .unreadable }
            self = .traces(loop: loop, report)
        case .leave: self = .leave(loop: loop)
        case .length: self = .length(loop: loop, count: Int(message.count))
        case .results:
            let run = ResultRun(
                first: Int(message.first), count: Int(message.count), stride: Int(message.extra),
                results: message.body, rank: source)
            guard run.isPossible else { throw ImpossibleMessage(clause: "sent results of impossible examples") }
            self = .results(loop: loop, run)
        case .delivered: self = .delivered(loop: loop)
        case .retire: self = .retire(loop: loop)
        case .givenUp: self = .givenUp(example: Int(message.first), try Self.fault(in: message))
        case .fault: self = .fault(try Self.fault(in: message))
        case .exit:
            self = .exit(
                status: Int32(clamping: message.count), example: message.first > 0 ? Int(message.first) : nil)
        case .goodbye: self = .goodbye
        case .assign, .list, .deliver, .halt, .end, .stop, .welcome, .offer, .refusal: throw .misdirected
        }
    }

    private static func fault(in message: Message) throws(ImpossibleMessage) -> Fault {
        guard let fault = Fault(encoded: message.body) else { throw .unreadable }
        return fault
    }
}

extension ChunkReport {
    fileprivate init(_ message: Message, results: Bytes) {
        first = Int(message.first)
        completed = Int(message.count)
        goesOn = message.kind == .part
        nanoseconds = message.extra
        cpu = message.cpu
        peak = message.peak
        self.results = results
    }
}

extension ToWorker {
    /// Decodes a message of the root.
    ///
    /// - Throws: `ImpossibleMessage` where it makes no sense; its clause follows a pronoun for the root.
    package init(_ message: Message) throws(ImpossibleMessage) {
        let loop = message.operation
        switch message.kind {
        case .collective: self = .collective(try message.collective())
        case .assign:
            let chunk = Chunk(first: Int(message.first), count: Int(message.count), stride: Int(message.cpu))
            guard chunk.isPossible, chunk.count > 0 else {
                throw ImpossibleMessage(clause: "handed out examples that cannot be")
            }
            self = .assign(loop: loop, chunk, giveBackAfter: max(0, message.extra), examples: message.body)
        case .list:
            guard message.count >= 0 else { throw ImpossibleMessage(clause: "sent a list that cannot be") }
            self = .elements(loop: loop, list: message.body, length: Int(message.count))
        case .deliver: self = .deliver(loop: loop)
        case .halt: self = .halt
        case .end:
            self = .end(loop: loop, length: Message.length(message.count), isCutShort: message.first != 0)
        case .goodbye: self = .goodbye
        case .stop: self = .stop(status: Int32(clamping: message.count), isEarly: message.first != 0)
        case .welcome:
            let ranks = 0...Int64(Int32.max)
            guard ranks ~= message.first, ranks ~= message.count else {
                throw ImpossibleMessage(clause: "sent a rank that cannot be")
            }
            self = .welcome(rank: Int(message.first), size: Int(message.count))
        case .offer: self = .offer(message.body)
        case .refusal: self = .refusal(message.body.withUnsafeBytes { String(decoding: $0, as: UTF8.self) })
        case .enter, .begin, .resume, .done, .part, .failed, .traces, .leave, .length, .results, .delivered, .retire,
            .givenUp,
            .fault, .exit:
            throw ImpossibleMessage(clause: "sent a message that only other ranks send")
        }
    }
}

extension Bytes {
    /// The end of the first of the encoded values; nil where there is none.
    fileprivate var endOfFirstValue: Int? {
        withUnsafeBytes { bytes in
            var reader = CBORReader(bytes)
            return (try? reader.skip()).map { reader.position }
        }
    }
}

// MARK: - The body of enter, begin and resume

extension LoopEntry {
    /// A CBOR array, followed by the list where there is one.
    fileprivate var encoded: Bytes {
        var parts: [Value] = [options.value, .text(host)]
        if let beginning {
            let digest = beginning.list.digest.map { [$0.high, $0.low].map { Value.integer(Int64(bitPattern: $0)) } }
            parts += [
                .integer(Int64(clamping: beginning.collectives)), .integer(beginning.list.kind.rawValue),
                .text(beginning.list.place), .array(digest ?? []),
            ]
        }
        var writer = ByteWriter()
        // A flat array of short values is within every limit of the encoder.
        if let head = try? Value.array(parts).encoded() { writer.append(head) }
        if let beginning { writer.append(beginning.list.encoded) }
        return writer.finish()
    }

    /// Decodes `encoded`, without the numbers that stand in the header; nil where it holds no entry.
    fileprivate init?(encoded: Bytes, hasBeginning: Bool) {
        guard let end = encoded.endOfFirstValue, case .array(let parts)? = try? Value(decoding: encoded[0..<end]),
            parts.count == (hasBeginning ? 6 : 2), let options = LoopOptions(parts[0]), case .text(let host) = parts[1]
        else { return nil }
        self.init(options: options, host: String(decoding: host.utf8.prefix(Self.longestHostName), as: UTF8.self))
        guard hasBeginning else { return }
        guard case .integer(let collectives) = parts[2], collectives >= 0, case .integer(let number) = parts[3],
            let kind = LoopList.Kind(rawValue: number), case .text(let place) = parts[4],
            case .array(let halves) = parts[5]
        else { return nil }
        var list = LoopList(kind, encoded: encoded[end..<encoded.count], place: place)
        if halves.count == 2, case .integer(let high) = halves[0], case .integer(let low) = halves[1] {
            list.digest = Digest(high: UInt64(bitPattern: high), low: UInt64(bitPattern: low))
        }
        beginning = LoopBeginning(list: list, collectives: UInt64(collectives))
    }

    /// The most bytes of a host's name (RFC 1035).
    private static let longestHostName = 255
}

extension LoopOptions {
    /// The options as an array, in the order that `init(_:)` reads.
    fileprivate var value: Value {
        let number = { (number: Int?) in number.map { Value.integer(Int64($0)) } ?? .null }
        return .array([
            .integer(Int64(results.rawValue)), .integer(Int64(examples.rawValue)), number(chunk), number(shares),
            .bool(sharesInChunks), .bool(isOrderFree), .bool(isUnbounded), .bool(failures.continues),
            number(failures.retries), number(failures.crashLimit), number(window), .bool(mayGrow),
        ])
    }

    fileprivate init?(_ value: Value) {
        guard case .array(let parts) = value, parts.count == 12, case .integer(let results) = parts[0],
            case .integer(let examples) = parts[1], let chunk = Self.number(parts[2]),
            let shares = Self.number(parts[3]), case .bool(let sharesInChunks) = parts[4],
            case .bool(let isOrderFree) = parts[5], case .bool(let isUnbounded) = parts[6],
            case .bool(let continues) = parts[7], let retries = Self.number(parts[8]) ?? nil,
            let crashLimit = Self.number(parts[9]) ?? nil, let window = Self.number(parts[10]),
            case .bool(let mayGrow) = parts[11],
            let results = UInt8(exactly: results).flatMap(Results.init(rawValue:)),
            let examples = UInt8(exactly: examples).flatMap(Examples.init(rawValue:)),
            0...FailurePolicy.limit ~= retries, 0...FailurePolicy.limit ~= crashLimit, chunk ?? 1 > 0, shares ?? 1 > 0
        else { return nil }
        self.init(results: results, examples: examples, chunk: chunk)
        self.shares = shares
        self.sharesInChunks = sharesInChunks
        self.isOrderFree = isOrderFree
        self.isUnbounded = isUnbounded
        self.window = window
        self.mayGrow = mayGrow
        failures = FailurePolicy(continues: continues, retries: retries, crashLimit: crashLimit)
    }

    /// A number, or `.some(nil)` for null; nil for anything else.
    private static func number(_ value: Value) -> Int?? {
        switch value {
        case .integer(let number): .some(Int(number))
        case .null: .some(nil)
        default: nil
        }
    }
}
