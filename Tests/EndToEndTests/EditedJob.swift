import TestSupport
import Testing

// For jobs that report on standard error which examples they do, each on a line that begins with "did ".

extension Outcome {
    /// The rest of each such line.
    var deeds: [Substring] {
        error.split(separator: "\n").filter { $0.hasPrefix("did ") }.map { $0.dropFirst(4) }
    }

    /// The other lines of standard error.
    var messages: String {
        error.split(separator: "\n").filter { !$0.hasPrefix("did ") }.joined(separator: "\n")
    }
}

extension Scratch {
    /// Returns what a plain loop under the stock interpreter makes of `job.lua`.
    func plainOutput() throws -> String {
        let reference = try run("lua5.4 \(Program.scripts)/reference.lua job.lua", in: self)
        #expect(reference.status == 0, "\(reference.error)")
        return reference.output
    }
}
