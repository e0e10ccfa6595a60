import DLP
import LuaHost

/// The examples of a job that failed for good, and what the user is told of them.
struct FailureList {
    /// So many are listed one by one where the script does not look at them itself.
    private static let mostLines = 10

    private var faults: [Int: Fault] = [:]

    var count: Int { faults.count }

    /// Adds one.
    mutating func add(_ fault: Fault) { faults[fault.example ?? 0] = fault }

    /// All of them, in the order of the examples.
    var ordered: [Fault] { faults.sorted { $0.key < $1.key }.map(\.value) }

    /// Tells the user.
    ///
    /// - Parameters:
    ///   - examples: how many there were in all.
    ///   - size: how many ranks the job has.
    ///   - scriptSees: whether the script got them as `results.errors`.
    ///   - haveResults: whether they have results all the same.
    ///   - repetition: how one is done alone.
    func report(of examples: Int, size: Int, scriptSees: Bool, haveResults: Bool, repetition: Repetition?) {
        report(
            "\(count) of \(examples) examples", "example",
            scriptSees
                ? "all are in results.errors"
                : haveResults ? "what they wrote stands with the rest" : "their results are null", size: size,
            lists: !scriptSees, repetition)
    }

    /// The same for the elements of a loop of the script, of which there were so many, where that is known.
    func report(of elements: Int?, size: Int, loop: ModuleLoop) {
        let isMap = loop.function == "map"
        report(
            "\(count)\(elements.map { " of \($0)" } ?? "") \(loop.elements)", "element",
            isMap ? "all are in the errors of what map returns" : "they have no results", size: size, lists: !isMap)
    }

    private func report(
        _ some: String, _ name: String, _ place: String, size: Int, lists: Bool, _ repetition: Repetition? = nil
    ) {
        let ordered = ordered
        guard let first = ordered.first else { return }
        if lists {
            for fault in ordered.prefix(Self.mostLines) { Diagnostics.write(Self.line(fault, size)) }
            if ordered.count > Self.mostLines { Diagnostics.write("and \(ordered.count - Self.mostLines) more") }
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

    /// The message's first line: what the script raises may have any number.
    private static func oneLine(_ fault: Fault) -> String {
        let lines = fault.message.split(separator: "\n", omittingEmptySubsequences: false)
        return lines.count > 1 ? "\(lines[0]) ..." : fault.message
    }
}
