import DLP
import LuaHost

/// What all ranks agree on before examples are distributed.
struct Agreement {
    /// Whether ranks have the examples, or the root sends them.
    var source: LoopOptions.Examples
    /// How many there are, where that is known.
    var count: Int?
    /// Where ranks have them: what every rank has found, by which others can be told.
    var finding = Bytes.empty
    /// What the user should know about it, on the root.
    var warning: String?
}

/// What one rank found when it called `examples()`.
struct Finding {
    var examples: Examples
    var digest: Digest?
    /// Why it has none, where it is a table of what cannot be compared.
    var obstacle: String?

    /// What this rank has: for a table its digest, while a number says all.
    init(_ examples: Examples, of host: LuaHost) throws(ScriptError) {
        self.examples = examples
        guard case .table = examples else { return }
        switch try host.digest(of: examples) {
        case .success(let digest): self.digest = digest
        // Every rank has the same list all the same where each makes it by the same script: a list of functions, say.
        case .failure(let error): obstacle = error.message
        }
    }

    /// As a CBOR array: kind, count, the digest's halves.
    var encoded: Bytes {
        let kind: Int64 =
            switch examples {
            case .count: 0
            case .table: 1
            case .iterator: 2
            case .lines: 3
            }
        let halves: [UInt64] = digest.map { [$0.high, $0.low] } ?? [0, 0]
        let numbers: [Int64] = [kind, Int64(examples.count ?? 0)] + halves.map { Int64(bitPattern: $0) }
        // A flat array of numbers is within every limit of the encoder.
        return (try? Value.array(numbers.map { .integer($0) }).encoded()) ?? .empty
    }

    static func describe(_ encoded: Bytes) -> String {
        guard case .array(let numbers)? = try? Value(decoding: encoded), numbers.count == 4,
            case .integer(let kind) = numbers[0], case .integer(let count) = numbers[1]
        else { return "something else" }
        switch kind {
        case 0: return "the number \(count)"
        case 1: return "a table of \(count)"
        case 2: return "an iterator"
        default: return "no examples()"
        }
    }
}

extension Session {
    /// Finds out whether every rank made the same list of examples.
    ///
    /// A digest of the values is compared: Lua's `pairs` has another order in each process, so that lists often differ.
    /// Then the root's list counts, and is sent with the work.
    func agree(
        on examples: Examples, of host: LuaHost, wanted: ExampleSource?
    ) throws(ScriptError) -> Result<Agreement, JobEnd> {
        switch (examples, wanted) {
        case (_, .root), (.iterator, nil), (.lines, nil):
            return .success(Agreement(source: .sent, count: nil))
        case (.iterator, .replicate), (.lines, .replicate):
            throw ScriptError(
                message: "--examples replicate needs a table or a number from examples(); an iterator is run by the "
                    + "root alone")
        case (.count, _), (.table, _):
            guard port.size > 1 || isJoinable else {
                return .success(Agreement(source: .replicated, count: examples.count))
            }
        }
        let finding = try Finding(examples, of: host)
        do throws(JobEnd) {
            return .success(try compare(finding, examples, wanted))
        } catch { return .failure(error) }
    }

    private func compare(
        _ finding: Finding, _ examples: Examples, _ wanted: ExampleSource?
    ) throws(JobEnd) -> Agreement {
        let all = try port.gather(finding.encoded)
        let other = all?.firstIndex { $0 != finding.encoded }
        let answer = try port.broadcast(Bytes([other == nil ? 1 : 0]))
        guard answer.array != [1] else {
            var agreement = Agreement(source: .replicated, count: examples.count, finding: finding.encoded)
            if let obstacle = finding.obstacle, wanted == nil, port.isRoot {
                agreement.warning =
                    "\(obstacle): each takes its own list, which must be the same everywhere (--examples replicate says that "
                    + "it is)"
            }
            return agreement
        }
        guard let all, let other else { return Agreement(source: .sent, count: nil) }
        let (here, there) = (Finding.describe(all[0]), Finding.describe(all[other]))
        let difference =
            here == there ? "ranks 0 and \(other) made different lists" : "rank 0 has \(here), rank \(other) \(there)"
        if wanted == .replicate {
            throw .fault(
                Fault(
                    phase: .examples,
                    message: "the ranks do not agree on the examples: \(difference); without "
                        + "--examples replicate the root sends its own", rank: 0, host: HostName.current))
        }
        return Agreement(
            source: .sent, count: nil,
            warning: "the ranks do not agree on the examples (\(difference); Lua's pairs has another order in each "
                + "process): the root sends its own with the work. Sort the list to avoid that, or say --examples root")
    }
}
