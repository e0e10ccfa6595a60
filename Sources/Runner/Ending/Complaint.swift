import DLP

/// What a user reads when something went wrong: one message, in one write, on standard error.
enum Complaint {
    /// Writes `text` with our name before it.
    static func write(_ text: String) { writeMessage(text, from: "dlp-lua") }

    /// The message for a fault: where it happened, what, and Lua's traceback.
    static func text(of fault: Fault, size: Int) -> String {
        var place: [String] = []
        if let example = fault.example {
            let name = fault.loop.isEmpty ? "example \(example)" : "element \(example) of \(fault.loop)"
            place.append(fault.phase == .collect ? "collect failed on \(name)" : "\(name) failed")
        } else {
            switch fault.phase {
            case .setup: place.append("setup() failed")
            case .summarize: place.append("summarize() failed")
            case .examples: place.append("examples() failed")
            case .load, .work, .collect, .communication: break
            }
        }
        if size > 1 || fault.rank > 0, fault.phase != .communication {
            let rank = "rank \(fault.rank) (host \(fault.host))"
            place = place.isEmpty ? [rank] : ["\(place[0]) on \(rank)"]
        }
        if fault.attempts > 1, !place.isEmpty { place[0] += " after \(fault.attempts) attempts" }
        if !fault.given.isEmpty, !place.isEmpty { place[0] += ", given \(fault.given)" }
        let lines = (place + [fault.message]).joined(separator: ": ")
        return fault.traceback.isEmpty ? lines : "\(lines)\n\(fault.traceback)"
    }
}
