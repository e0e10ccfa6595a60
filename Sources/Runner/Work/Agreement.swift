import DLP
import LuaHost

/// What all ranks agree on before examples are distributed.
struct Agreement {
    /// Whether the ranks make the examples themselves, or the root sends them.
    var source: LoopOptions.Examples
    /// The number of examples, where it is known.
    var count: Int?
    /// Where the ranks make the examples: the finding that all have, for comparison with ranks that join.
    var finding = Bytes.empty
    /// A warning for the user, on the root.
    var warning: String?
}

/// What one rank found when it called `examples()`.
struct Finding {
    var examples: Examples
    var digest: Digest?
    /// Why there is no digest: the table holds values that cannot be compared.
    var obstacle: String?

    /// Describes this rank's examples: a table by its digest, a number by itself.
    init(_ examples: Examples, of host: LuaHost) throws(ScriptError) {
        self.examples = examples
        guard case .table = examples else { return }
        switch try host.digest(of: examples) {
        case .success(let digest): self.digest = digest
        // The ranks may have the same list all the same, for example a list of functions that each makes by the same
        // script.
        case .failure(let error): obstacle = error.message
        }
    }

    /// The finding as a CBOR array: kind, count, the two halves of the digest.
    var encoded: Bytes {
        let kind: Int64 =
            switch examples {
            case .count: 0
            case .table: 1
            case .iterator: 2
            case .input: 3
            }
        let halves: [UInt64] = digest.map { [$0.high, $0.low] } ?? [0, 0]
        let numbers: [Int64] = [kind, Int64(examples.count ?? 0)] + halves.map { Int64(bitPattern: $0) }
        // A flat array of numbers cannot exceed a limit of the encoder.
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
    /// Checks that all ranks have the same script functions and options, before anything depends on a random seed
    /// that the script asks for.
    ///
    /// - Returns: the seed.
    func agree(on options: JobOptions, _ statement: Statement) throws(JobEnd) -> Int64 {
        var seed = isRoot ? startDirectory.during { StartAgreement.seed(options, journal: options.journal) } : 0
        if client.size > 1 {
            let answer = try client.agree(statement.encoded()) { (all) throws(JobEnd) in
                try statement.check(all.map { OthersStatement(encoded: $0) }, remedy: Self.remedy)
                var writer = ByteWriter()
                writer.append(littleEndian: seed)
                return writer.finish()
            }
            if answer.count == 8 {
                seed = answer.withUnsafeBytes { Int64(littleEndian: $0.loadUnaligned(as: Int64.self)) }
            }
        }
        if isRoot, options.seed == .random { Diagnostics.write("seed \(seed)") }
        return seed
    }

    private static let remedy = "all ranks must define the same functions and set the same dlp.options"

    /// Checks that all ranks have the same script functions and options, and whether every rank made the same list of
    /// examples.
    ///
    /// The ranks compare a digest of the values. Lua's `pairs` has a different order in each process, so lists often
    /// differ. Then the root's examples are used, of whatever kind they are, and are sent with the work.
    ///
    /// - Parameters:
    ///   - reach: the reach of `work` on this rank, where it must be compared.
    ///   - willAnswer: called on the root when all agree, before any other rank knows it.
    func agree(
        on examples: Examples, of host: LuaHost, _ statement: Statement, wanted: ExampleSource?, _ reach: Reach?,
        willAnswer: () -> Void
    ) throws(ScriptError) -> Result<Agreement, JobEnd> {
        if wanted == .replicate, examples.count == nil {
            throw ScriptError(
                message: "--examples replicate needs a table or a number from examples(); an iterator is run by the "
                    + "root alone")
        }
        let isSent = wanted == .root || examples.count == nil
        if client.size == 1, isSent || !isJoinable {
            willAnswer()
            return .success(Agreement(source: isSent ? .sent : .replicated, count: isSent ? nil : examples.count))
        }
        // Where the root sends its examples anyway, those of the other ranks are not compared.
        let finding = wanted == .root ? nil : try Finding(examples, of: host)
        do throws(JobEnd) {
            return .success(try compare(statement, finding, examples, wanted, reach, willAnswer))
        } catch { return .failure(error) }
    }

    private func compare(
        _ statement: Statement, _ finding: Finding?, _ examples: Examples, _ wanted: ExampleSource?, _ reach: Reach?,
        _ willAnswer: () -> Void
    ) throws(JobEnd) -> Agreement {
        var difference: String?
        let found = finding?.encoded ?? .empty
        let answer = try client.agree(statement.encoded(with: Self.joined(found, reach))) { (all) throws(JobEnd) in
            let all = all.map { OthersStatement(encoded: $0) }
            try statement.check(all, remedy: Self.remedy)
            let parted = all.map { Self.parted($0.more) }
            difference = Self.difference(parted.map(\.finding), wanted)
            reach?.warn(of: zip(parted, all).map { ($0.mark, $1.host) })
            willAnswer()
            return Bytes([difference == nil && wanted != .root && examples.count != nil ? 1 : 0])
        }
        guard answer.array != [1] else {
            var agreement = Agreement(source: .replicated, count: examples.count, finding: found)
            if let obstacle = finding?.obstacle, wanted == nil, client.isRoot {
                agreement.warning =
                    "\(obstacle): each takes its own list, which must be the same everywhere (--examples replicate says that "
                    + "it is)"
            }
            return agreement
        }
        guard let difference else { return Agreement(source: .sent, count: nil) }
        if wanted == .replicate {
            throw .fault(
                Fault(
                    phase: .examples,
                    message: "the ranks do not agree on the examples: \(difference); without "
                        + "--examples replicate the root sends its own", rank: 0, host: HostName.current))
        }
        return Agreement(
            source: .sent, count: nil,
            warning: "the ranks do not agree on the examples (\(difference)): the root sends its own with the work. "
                + "Make them the same to avoid that, or say --examples root")
    }

    /// Encodes a rank's finding and the mark of its reach for sending.
    private static func joined(_ finding: Bytes, _ reach: Reach?) -> Bytes {
        guard let reach else { return finding }
        var writer = ByteWriter()
        writer.append(finding.count > 0 ? finding : noFinding)
        writer.append(ReachMark(reach).encoded)
        return writer.finish()
    }

    private static let noFinding = Bytes([0xF6])

    private static func parted(_ more: Bytes) -> (finding: Bytes, mark: Bytes) {
        let end: Int = more.withUnsafeBytes {
            var reader = CBORReader($0)
            return (try? reader.skip()) == nil ? 0 : reader.position
        }
        return (more[0..<end], more[end..<more.count])
    }

    /// Describes how the examples of the ranks differ, as far as it matters; nil where they are equal.
    private static func difference(_ findings: [Bytes], _ wanted: ExampleSource?) -> String? {
        guard let other = findings.firstIndex(where: { $0 != findings[0] }) else { return nil }
        let (here, there) = (Finding.describe(findings[0]), Finding.describe(findings[other]))
        guard here == there else { return "rank 0 has \(here), rank \(other) \(there)" }
        return "ranks 0 and \(other) made different lists; Lua's pairs has another order in each process"
    }
}
