/// The chosen examples of a list, and the results that a journal holds for them.
struct ChosenExamples {
    let all: ExampleSelection
    /// The examples without results in the journal.
    let undone: ExampleSelection
    let done: [StageJournal.Run]

    /// A choice without any results.
    init(_ all: ExampleSelection) { (self.all, undone, done) = (all, all, []) }

    /// - Parameter runs: the whole list, in its order.
    init(_ all: ExampleSelection, _ runs: [StageJournal.Run]) {
        var (undone, done): ([Range<Int>], [StageJournal.Run]) = ([], [])
        for run in runs {
            for part in all.parts(of: run.first..<run.first + run.count) {
                if run.isDone {
                    let place = part.lowerBound - run.first
                    done.append(
                        StageJournal.Run(
                            first: part.lowerBound, count: part.count,
                            stored: Array(run.stored[place..<place + part.count])))
                } else if let last = undone.last, last.upperBound == part.lowerBound {
                    undone[undone.count - 1] = last.lowerBound..<part.upperBound
                } else {
                    undone.append(part)
                }
            }
        }
        (self.all, self.undone, self.done) = (all, ExampleSelection(undone), done)
    }
}
