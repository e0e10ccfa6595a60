/// Returns the name among `names` that was probably meant by `word`; nil where none is near.
///
/// A name is near where one slip in three letters explains the difference: a letter too many, too few, another, or two
/// that changed places.
///
/// - Parameter most: how many slips there may be at most, in a long word too.
package func nearestName(
    to word: String, among names: some Sequence<String>, most: Int = .max
) -> String? {
    let letters = Array(word.lowercased().utf8)
    // Long words are no misspelt names of ours, and comparing takes the product of the lengths.
    guard letters.count <= 64 else { return nil }
    let limit = min(max(letters.count / 3, 1), most)
    var best: (name: String, distance: Int)?
    for name in names {
        let distance = slips(from: letters, to: Array(name.lowercased().utf8))
        if distance <= limit, distance < name.utf8.count, distance < best?.distance ?? .max { best = (name, distance) }
    }
    return best?.name
}

/// The number of slips that turn `first` into `second`: the Damerau-Levenshtein distance.
private func slips(from first: [UInt8], to second: [UInt8]) -> Int {
    var beforeLast: [Int] = []
    var last = Array(0...second.count)
    for (row, letter) in first.enumerated() {
        var current = [row + 1]
        for (column, other) in second.enumerated() {
            var least = min(last[column + 1], current[column]) + 1
            least = min(least, last[column] + (letter == other ? 0 : 1))
            if row > 0, column > 0, letter == second[column - 1], first[row - 1] == other {
                least = min(least, beforeLast[column - 1] + 1)
            }
            current.append(least)
        }
        (beforeLast, last) = (last, current)
    }
    return last[second.count]
}
