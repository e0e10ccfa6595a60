import Scheduling

/// A message of a rank, or the news of its death.
struct SimulatedWord {
    var worker: Int
    /// Whether it is the news that the worker is dead.
    var isDeath = false
}

/// A chunk on its way to a rank.
struct SimulatedAssignment {
    var worker: Int
    var chunk: Chunk
    var giveBackAfter: Int64
}

/// The relays of a simulated job: what each gathers, and what is on its way to it.
struct SimulatedRelays {
    /// What the root sent to a relay.
    struct Delivery {
        var assignments: [SimulatedAssignment] = []
        /// Whether it answers what the relay sent last.
        var isAnswer = false
    }

    private struct Relay {
        var free: Int64 = 0
        var gathered: [SimulatedWord] = []
        var sent: [SimulatedWord] = []
        var isUnderWay = false
        /// They arrive in the order in which they were sent.
        var deliveries: [Delivery] = []

        /// Sends what it has gathered, unless a message is under way, and says when.
        mutating func send() -> Int64? {
            guard !isUnderWay, !gathered.isEmpty else { return nil }
            swap(&sent, &gathered)
            isUnderWay = true
            return free
        }
    }

    private let rules: ScheduleSimulator.Relays
    private var relays: [Relay]

    init(_ rules: ScheduleSimulator.Relays, hosts: Int) {
        self.rules = rules
        relays = Array(repeating: Relay(), count: hosts)
    }

    /// A relay gets a message of a rank of its host.
    ///
    /// - Returns: when it sends a message to the root; nil: not now.
    mutating func gather(_ word: SimulatedWord, from host: Int, at time: Int64) -> Int64? {
        relays[host].gathered.append(word)
        relays[host].free = max(relays[host].free, time) + rules.cost
        return relays[host].send()
    }

    /// What is in the message of a relay that has reached the root.
    mutating func received(from host: Int) -> [SimulatedWord] {
        defer { relays[host].sent.removeAll(keepingCapacity: true) }
        return relays[host].sent
    }

    /// The root has sent this to a relay.
    mutating func deliver(_ delivery: Delivery, to host: Int) { relays[host].deliveries.append(delivery) }

    /// The oldest of the root's messages to a relay that are under way has arrived there.
    ///
    /// - Returns: the chunks, each with the time at which it is with its rank, and when the relay sends its next message.
    mutating func arrive(at host: Int, _ time: Int64) -> (chunks: [(SimulatedAssignment, Int64)], next: Int64?) {
        let delivery = relays[host].deliveries.removeFirst()
        var chunks: [(SimulatedAssignment, Int64)] = []
        relays[host].free = max(relays[host].free, time)
        for assignment in delivery.assignments {
            relays[host].free += rules.cost
            chunks.append((assignment, relays[host].free + rules.hop))
        }
        if delivery.isAnswer { relays[host].isUnderWay = false }
        return (chunks, relays[host].send())
    }
}
