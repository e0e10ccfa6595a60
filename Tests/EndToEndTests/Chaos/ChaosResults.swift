/// Compares the results of a chaos job with those of its plain loop.
struct ChaosResults {
    /// Whether every example that has not failed has exactly one result.
    private(set) var isComplete = true
    /// How many examples should have results.
    private(set) var count: Int
    /// Examples that have failed although they do not fail in the plain loop.
    private(set) var crashed: Set<Int> = []
    /// Results that should not be there, or are there twice.
    private(set) var wrong: [String] = []

    /// Compares the output of a job with that of its plain loop.
    init(_ lines: [String], reference: [String], plan: ChaosPlan) {
        count = plan.examples
        switch (plan.form, plan.sink) {
        case (.job, .lines), (.job, .summarize): compareInOrder(lines, reference)
        case (.job, .collect), (.loop, _): compareAsSet(lines, reference)
        case (.job, .enough(let example)):
            compareInOrder(lines, reference)
            let last = (example...max(example, plan.examples)).first { index in
                !crashed.contains(index) && (plan.failing == 0 || index % plan.failing != 0)
            }
            count = min(last ?? plan.examples, plan.examples)
            isComplete = lines.count == count
        }
    }

    /// A line for each example.
    private mutating func compareInOrder(_ lines: [String], _ reference: [String]) {
        isComplete = lines.count == reference.count
        if lines.count > reference.count { wrong.append("\(lines.count) lines, not \(reference.count)") }
        for (place, (line, right)) in zip(lines, reference).enumerated() where line != right {
            if line == "null" || line.contains("died while at work on it") {
                crashed.insert(place + 1)
            } else {
                wrong.append("line \(place + 1) is \(line), not \(right)")
            }
        }
    }

    /// Compares lines that begin with the example's index, in any order; failed examples have none.
    private mutating func compareAsSet(_ lines: [String], _ reference: [String]) {
        let right = Set(reference)
        var seen: Set<String> = []
        for line in lines {
            if !right.contains(line) { wrong.append("there is a line \(line)") }
            if !seen.insert(line).inserted { wrong.append("the line \(line) is there twice") }
        }
        for line in right.subtracting(seen) { crashed.insert(Int(line.split(separator: "\t")[0]) ?? 0) }
        // A missing result may belong to a failed example or one that was never done. The caller finds out from the
        // number of failures.
        isComplete = crashed.isEmpty
    }
}
