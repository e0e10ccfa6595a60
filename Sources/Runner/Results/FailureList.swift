import DLP
import LuaHost

/// The examples of a job that failed for good, and the report about them for the user.
struct FailureList {
    /// How many are listed at most, where the script does not look at the failures itself.
    private static let mostLines = 10

    private var faults: [Int: Fault] = [:]
    /// Whether all are kept, for the script, or only those that are listed.
    private let keepsAll: Bool
    /// How many examples have failed.
    private(set) var count = 0
    /// How many of them have left a result all the same.
    private var withResult = 0

    init(keepsAll: Bool) { self.keepsAll = keepsAll }

    /// Adds a failure, whose result is elsewhere, if it has left any.
    mutating func add(_ fault: Fault, hasResult: Bool = false) {
        count += 1
        faults[fault.example ?? 0] = fault
        if !keepsAll, faults.count > Self.mostLines, let last = faults.keys.max() { faults[last] = nil }
        if hasResult { withResult += 1 }
    }

    /// The failures that are kept, in the order of the examples.
    var ordered: [Fault] { faults.sorted { $0.key < $1.key }.map(\.value) }

    /// Reports the failures to the user.
    ///
    /// - Parameters:
    ///   - examples: how many examples there were in all.
    ///   - size: how many ranks the job has.
    ///   - scriptSees: whether the script got the failures as `results.errors`.
    ///   - isOfCommand: whether the examples are those of a command, which leave what the command wrote unless it was
    ///     killed.
    ///   - repetition: how to do one example alone.
    func report(of examples: Int, size: Int, scriptSees: Bool, isOfCommand: Bool, repetition: Repetition?) {
        report(
            "\(count) of \(examples) examples", "example",
            scriptSees
                ? "all are in results.errors"
                : isOfCommand ? outputsOfCommands : "their results are null", size: size,
            lists: !scriptSees, repetition)
    }

    /// Reports the failures in a loop of the script with `elements` elements; nil where the number is unknown.
    func report(of elements: Int?, size: Int, loop: ModuleLoop) {
        let isMap = loop.function == "map"
        report(
            "\(count)\(elements.map { " of \($0)" } ?? "") \(loop.elements)", "element",
            isMap ? "all are in the errors of what map returns" : "they have no results", size: size, lists: !isMap)
    }

    /// What became of what the commands wrote.
    private var outputsOfCommands: String {
        if withResult == count { return "what they wrote stands with the rest" }
        return withResult == 0 ? "what they wrote is lost" : "what \(withResult) of them wrote stands with the rest"
    }

    private func report(
        _ some: String, _ name: String, _ place: String, size: Int, lists: Bool, _ repetition: Repetition? = nil
    ) {
        let ordered = ordered
        guard let first = ordered.first else { return }
        if lists {
            for fault in ordered.prefix(Self.mostLines) { Diagnostics.write(Self.line(fault, size)) }
            if count > Self.mostLines { Diagnostics.write("and \(count - Self.mostLines) more") }
        }
        let alone = repetition?.line(first.example ?? 0).map { "; alone: \($0)" } ?? ""
        Diagnostics.write(
            "\(some) failed, first \(name) \(first.example ?? 0) (\(Self.oneLine(first))); \(place)\(alone)")
    }

    private static func line(_ fault: Fault, _ size: Int) -> String {
        var fault = fault
        fault.traceback = ""
        fault.message = oneLine(fault)
        return fault.text(ranks: size)
    }

    /// Returns the message's first line.
    ///
    /// A script's error may have any number of lines.
    private static func oneLine(_ fault: Fault) -> String {
        let lines = fault.message.split(separator: "\n", omittingEmptySubsequences: false)
        return lines.count > 1 ? "\(lines[0]) ..." : fault.message
    }
}
