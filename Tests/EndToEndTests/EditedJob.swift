import TestSupport
import Testing

// Of jobs that say on standard error which examples they do, each on a line that begins with "did ".

extension Outcome {
    /// What such lines say behind that.
    var deeds: [Substring] {
        error.split(separator: "\n").filter { $0.hasPrefix("did ") }.map { $0.dropFirst(4) }
    }

    /// What standard error has besides.
    var messages: String {
        error.split(separator: "\n").filter { !$0.hasPrefix("did ") }.joined(separator: "\n")
    }
}

extension Scratch {
    /// What a plain loop under the stock interpreter gives of `job.lua`.
    func plainOutput() throws -> String {
        let reference = try run("lua5.4 \(Program.scripts)/reference.lua job.lua", in: self)
        #expect(reference.status == 0, "\(reference.error)")
        return reference.output
    }
}
