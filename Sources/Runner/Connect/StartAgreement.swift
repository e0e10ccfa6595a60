import DLP
import Glibc
import Journal
import LuaHost

/// The agreement of all ranks on the script, arguments, options and seed, before the script runs.
///
/// Rank 0 compares what the ranks were started with. It sends out what only it can know: a script that can be read
/// only once, and a random seed.
struct StartAgreement {
    let session: Session
    let invocation: Invocation

    /// What a rank knows of the script's text.
    private struct OwnText {
        /// Nil where rank 0 has to send it.
        var text: Bytes?
        /// Whether no other rank can read the same text.
        var isRootsOnly = false
        /// Why this rank could not read it.
        var problem: String?
    }

    /// Returns the script and the seed.
    ///
    /// - Throws: `UsageError` where rank 0 cannot read the script; `JobEnd` on rank 0 where a rank was started
    ///   differently.
    func reach() throws -> (script: Script, seed: Int64) {
        var own = try ownText()
        var seed = session.isRoot ? Self.seed(invocation.options, journal: invocation.options.journal) : 0
        if session.client.size > 1 {
            let answer = try session.client.agree(statement(own)) { (all) throws(JobEnd) in
                let isGiven = try judge(all.map { OthersStatement(encoded: $0) }, own)
                return Self.encode(seed, isGiven ? own.text : nil)
            }
            let (agreed, given) = Self.decode(answer)
            seed = agreed
            own.text = given ?? own.text
        }
        if session.isRoot, invocation.options.seed == .random { Diagnostics.write("seed \(seed)") }
        guard let text = own.text else { throw UsageError("rank 0 has not sent the script") }
        return (script(text), seed)
    }

    /// Returns the seed that the options ask for.
    ///
    /// A random seed is taken from the journal that the job continues, where there is one.
    static func seed(_ options: JobOptions, journal: SystemString?) -> Int64 {
        switch options.seed {
        case nil: return 0
        case .number(let number): return number
        case .random:
            let drawn = Int64.random(in: 0..<(1 << 53))
            guard let journal, options.fresh != .yes else { return drawn }
            return JournalFile.seed(at: journal) ?? drawn
        }
    }

    /// Encodes what this rank was started with.
    private func statement(_ own: OwnText) -> Bytes {
        var statement = Statement(entries: JobSettings.common(invocation.options, size: session.client.size))
        let arguments = Value.array(invocation.arguments.map { .bytes($0.bytes) })
        statement.entries.append((Statement.arguments, Self.digest(arguments)))
        if let text = own.text { statement.entries.append((Statement.script, Self.digest(.bytes(text.array)))) }
        if let problem = own.problem { statement.entries.append((Self.problem, problem)) }
        return statement.encoded()
    }

    private static let problem = "problem"

    private static func digest(_ value: Value) -> String {
        guard let bytes = try? value.encoded(),
            let digest = try? bytes.withUnsafeBytes({ (item) throws(CodecError) in try Digest(of: item) })
        else { return "" }
        return digest.description
    }

    /// Checks on rank 0 whether all ranks were started alike.
    ///
    /// - Returns: whether the other ranks need to be sent the script.
    private func judge(_ all: [OthersStatement], _ own: OwnText) throws(JobEnd) -> Bool {
        var all = all
        var isGiven = own.isRootsOnly
        let script = all[0].entries[Statement.script]
        for rank in all.indices.dropFirst() {
            let problem = all[rank].entries.removeValue(forKey: Self.problem)
            if let problem, !own.isRootsOnly {
                throw .fault(Fault(phase: .load, message: problem, rank: rank, host: all[rank].host, status: 2))
            }
            if own.isRootsOnly || all[rank].entries[Statement.script] == nil {
                isGiven = true
                all[rank].entries[Statement.script] = script
            }
        }
        let mine = Statement(entries: all[0].entries.sorted { $0.key < $1.key }.map { ($0.key, $0.value) })
        try mine.check(all, remedy: "start all ranks with the same script, arguments and options")
        return isGiven
    }

    /// Encodes what rank 0 tells all ranks.
    private static func encode(_ seed: Int64, _ text: Bytes?) -> Bytes {
        var writer = ByteWriter()
        writer.append(littleEndian: seed)
        writer.append(text == nil ? 0 : 1)
        if let text { writer.append(text) }
        return writer.finish()
    }

    private static func decode(_ answer: Bytes) -> (seed: Int64, text: Bytes?) {
        guard answer.count > 8 else { return (0, nil) }
        let seed = answer.withUnsafeBytes { Int64(littleEndian: $0.loadUnaligned(as: Int64.self)) }
        return (seed, answer[8..<9] == Bytes([1]) ? answer[9..<answer.count] : nil)
    }

    private func script(_ text: Bytes) -> Script {
        let arguments = invocation.arguments
        return switch invocation.source {
        case .standardInput: Script(chunkName: "=stdin", source: text, name: "-", arguments: arguments)
        case .command(let command): Script(command: command)
        case .file(let path): Script(chunkName: "@" + path, source: text, name: path, arguments: arguments)
        case .text, .journal, .plan, .watch, .running, .none:
            Script(chunkName: "=(command line)", source: text, name: "(command line)", arguments: arguments)
        }
    }

    private func ownText() throws -> OwnText {
        switch invocation.source {
        case .text(let text), .command(let text): return OwnText(text: Bytes(text.bytes))
        case .standardInput:
            return OwnText(text: session.isRoot ? try StandardInput.allBytes() : nil, isRootsOnly: session.isRoot)
        case .file(let path):
            // A file that is not a plain one, such as a FIFO, can be read only once.
            let isPlain = Self.isPlainFile(path)
            if session.isRoot { return OwnText(text: try Self.read(path), isRootsOnly: isPlain == false) }
            guard isPlain != false else { return OwnText() }
            do { return OwnText(text: try Self.read(path)) } catch { return OwnText(problem: error.message) }
        case .journal, .plan, .watch, .running, .none: throw UsageError("no script given")
        }
    }

    /// Whether a path names a plain file; nil where nothing is there.
    private static func isPlainFile(_ path: SystemString) -> Bool? {
        var facts = stat()
        return stat(path.cString, &facts) == 0 ? facts.st_mode & S_IFMT == S_IFREG : nil
    }

    private static func read(_ path: SystemString) throws(UsageError) -> Bytes {
        let descriptor = open(path.cString, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw UsageError("cannot open the script \(path): \(String(cString: strerror(errno)))")
        }
        defer { close(descriptor) }
        var writer = ByteWriter()
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = Glibc.read(descriptor, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else {
                throw UsageError("cannot read the script \(path): \(String(cString: strerror(errno)))")
            }
            guard count > 0 else { return writer.finish() }
            buffer.withUnsafeBytes { writer.append(contentsOf: UnsafeRawBufferPointer(rebasing: $0[..<count])) }
        }
    }
}
