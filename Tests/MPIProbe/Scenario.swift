import CSystem
import DLP
import Glibc
import MPIBackend

/// The scenarios of a probe.
///
/// Each function is one scenario, which throws where something is wrong.
struct Scenario {
    let communicator: MPICommunicator
    let numbers: [Int]

    private var rank: Int { communicator.rank }
    private var size: Int { communicator.size }
    private var others: Range<Int> { rank == 0 ? 1..<size : 0..<1 }

    static let all: [String: @Sendable (Scenario) throws -> Void] = [
        "hello": { $0.hello() },
        "exchange": { try $0.exchange() },
        "flood": { try $0.flood() },
        "broadcast": { try $0.broadcast() },
        "leave-early": { try $0.leaveEarly() },
        "wake": { try $0.wake() },
        "idle": { try $0.idle() },
        "root-fails": { try $0.rootFails() },
        "worker-fails": { try $0.workerFails() },
        "ping": { try $0.ping() },
    ]

    private func hello() { say("rank \(rank) of \(size)") }

    /// Messages of all sizes between the root and every worker, in both directions and any order: SEED, COUNT.
    private func exchange() throws {
        let (seed, count) = (numbers[0], numbers[1])
        var outgoing = others.map { Sizes(seed: seed, source: rank, destination: $0) }
        var incoming = others.map { Sizes(seed: seed, source: $0, destination: rank) }
        var sent = others.map { _ in 0 }
        var received = others.map { _ in 0 }
        var generator = Sizes(seed: seed, source: rank, destination: rank)
        while sent.contains(where: { $0 < count }) || received.contains(where: { $0 < count }) {
            let place = generator.next() % others.count
            if sent[place] < count, generator.next() % 2 == 0 {
                let message = Pattern.message(sent[place], from: rank, bodyLength: outgoing[place].next())
                try communicator.send(message, to: others.lowerBound + place)
                sent[place] += 1
            }
            let mayWait = sent.allSatisfy { $0 == count } && received.contains { $0 < count }
            let delivery = try communicator.receive(until: mayWait ? nil : 0)
            guard case .message(_, let source) = delivery else { continue }
            let from = source - others.lowerBound
            try Pattern.check(delivery, is: received[from], from: source, bodyLength: incoming[from].next())
            received[from] += 1
        }
        say("rank \(rank) exchanged \(count)")
    }

    /// Every worker sends large bodies to the root at once, small ones between them: BYTES, COUNT.
    private func flood() throws {
        let (bytes, count) = (numbers[0], numbers[1])
        func length(_ number: Int) -> Int { number % 2 == 0 ? bytes : 10 }
        guard rank == 0 else {
            for number in 0..<count {
                try communicator.send(Pattern.message(number, from: rank, bodyLength: length(number)), to: 0)
            }
            return
        }
        var received = Array(repeating: 0, count: size)
        for _ in 0..<count * (size - 1) {
            let delivery = try communicator.receive(until: nil)
            guard case .message(_, let source) = delivery else { throw ProbeFailure("\(delivery)") }
            let number = received[source]
            try Pattern.check(delivery, is: number, from: source, bodyLength: length(number))
            received[source] += 1
        }
        say("rank 0 received \(received.reduce(0, +))")
    }

    /// Bodies of all sizes to all ranks, with messages to single ones between them; rank 1 comes late: BYTES of the
    /// largest.
    private func broadcast() throws {
        let lengths = [0, 10, 3840, 3841, 65535, 65536, 1_000_000, 10, numbers[0], 70_000, 1]
        if rank == 1 { usleep(300_000) }
        for (number, length) in lengths.enumerated() {
            let single = 10_000 + number
            if rank == 0 {
                try communicator.sendToAll(Pattern.message(number, from: 0, bodyLength: length))
                for other in others {
                    try communicator.send(Pattern.message(single, from: 0, bodyLength: length / 2), to: other)
                }
            } else {
                try Pattern.check(communicator.receive(until: nil), is: number, from: 0, bodyLength: length)
                try Pattern.check(communicator.receive(until: nil), is: single, from: 0, bodyLength: length / 2)
            }
        }
        say("rank \(rank) has all")
    }

    /// Rank 1 takes leave at once, and the root continues to broadcast to the others: BYTES.
    private func leaveEarly() throws {
        guard rank != 1 else { return }
        for number in 0..<5 {
            if rank == 0 {
                usleep(50_000)
                try communicator.sendToAll(Pattern.message(number, from: 0, bodyLength: numbers[0]))
            } else {
                try Pattern.check(communicator.receive(until: nil), is: number, from: 0, bodyLength: numbers[0])
                try communicator.send(Pattern.message(number, from: rank, bodyLength: numbers[0]), to: 0)
            }
        }
        guard rank == 0 else { return }
        for number in 0..<5 {
            for _ in 2..<size {
                let delivery = try communicator.receive(until: nil)
                guard case .message(let message, _) = delivery, message.body.count == numbers[0] else {
                    throw ProbeFailure("message \(number) is \(delivery)")
                }
            }
        }
        say("rank 0 went on")
    }

    /// Another thread wakes a receive: TIMES.
    private func wake() throws {
        let waker = communicator.waker
        for _ in 0..<numbers[0] {
            let thread = try ServiceThread { waker.wake() }
            guard case .woken = try communicator.receive(until: nil) else { throw ProbeFailure("it was not woken") }
            thread.join()
        }
        guard case .timedOut = try communicator.receive(until: dlp_now() + 1_000_000) else {
            throw ProbeFailure("it was woken once too often")
        }
        say("rank \(rank) woke")
    }

    /// Waits for nothing: MILLISECONDS; prints what that costs, in thousandths of a core.
    private func idle() throws {
        say("rank \(rank) waits", to: STDERR_FILENO)
        let began = (dlp_now(), processorTime())
        guard case .timedOut = try communicator.receive(until: began.0 + UInt64(numbers[0]) * 1_000_000) else {
            throw ProbeFailure("something came")
        }
        let used = processorTime() - began.1
        say("rank \(rank) used \(used * 1000 / (dlp_now() - began.0))")
    }

    private func processorTime() -> UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }

    /// The root ends the job while a rank computes: STATUS.
    private func rootFails() throws {
        guard rank == 0 else {
            if rank == 1 { sleep(600) }
            _ = try communicator.receive(until: nil)
            say("rank \(rank) was told")
            return communicator.abort(status: Int32(numbers[0]), until: nil)
        }
        say("rank 0 fails")
        try communicator.sendToAll(Message(.stop, count: numbers[0]))
        communicator.abort(status: Int32(numbers[0]), until: dlp_now() + 2_000_000_000)
    }

    /// A worker ends the job without telling the root: STATUS.
    private func workerFails() throws {
        if rank != 1 { _ = try communicator.receive(until: nil) }
        communicator.abort(status: Int32(numbers[0]), until: nil)
    }

    /// Messages from the root to each worker in turn and back: COUNT, BYTES; prints how long one takes.
    private func ping() throws {
        let began = dlp_now()
        for number in 0..<numbers[0] {
            for other in others {
                if rank == 0 { try communicator.send(Message(.assign, body: Self.zeros(numbers[1])), to: other) }
                guard case .message(let message, _) = try communicator.receive(until: nil) else {
                    throw ProbeFailure("message \(number) did not come")
                }
                if rank != 0 { try communicator.send(message, to: 0) }
            }
        }
        if rank == 0 { say("\((dlp_now() - began) / UInt64(numbers[0] * others.count)) ns there and back") }
    }

    private static func zeros(_ count: Int) -> Bytes { Bytes(adopting: calloc(max(count, 1), 1), count: count) }
}
