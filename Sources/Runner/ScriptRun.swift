import CLuaHost
import DLP
import Glibc
import Journal
import LuaHost
import Report

/// One script on this rank, from its text to the exit status.
final class ScriptRun {
    private let session: Session
    private let invocation: Invocation
    private var options: JobOptions
    /// The options of which the user has been told that they are of no use.
    private var complained: Set<String> = []

    init(_ session: Session, _ invocation: Invocation) {
        self.session = session
        self.invocation = invocation
        options = invocation.options
    }

    func run() -> Int32 {
        do {
            try session.tieLifeline()
            let script = try loadScript()
            var settings = JobSettings(options, seed: try seed(), size: session.port.size)
            let host = try scripted(.load) { () throws(ScriptError) in
                try session.open(settings)
            }
            let progress = settings.progress
            host.loopWillBegin = { [session, unowned self, unowned host] isWanted, prefix in
                // Who waits for such a loop to be stopped in time, say, should know at its beginning.
                if session.isRoot, (try? host.isFunction("work")) == false { complainOfOptions(invocation.options) }
                session.showProgress(isWanted ? progress : .off, prefix: prefix ?? "")
            }
            host.loopDidEnd = { [session] in session.observer.finishDisplay() }
            let isRun = invocation.task.isRun
            if isRun { try openTimelines(of: script) }
            try scripted(.load) { () throws(ScriptError) in try host.run(script) }
            let wanted = try scripted(.load) { () throws(ScriptError) in try host.scriptOptions() }
            do {
                try options.addScriptOptions(wanted)
                if options.encrypt == .yes { try Encryption.check(session.connection) }
            } catch {
                throw UsageError("\(script.name): dlp.options: \(error.message)")
            }
            if options.seed != invocation.options.seed { host.seed = try seed() }
            settings = JobSettings(options, seed: host.seed, size: session.port.size)
            if isRun { try openTimelines(of: script) }
            try host.limit(settings, on: session.port)
            settings.journal = try JournalSettings(options)
            if options.joinable != nil { try Joinable.check(settings.mode) }
            let isJob = try scripted(.load) { () throws(ScriptError) in try host.isFunction("work") }
            if !isJob { session.refuseLateRanks() }
            // An imperative script may use the names of a job's functions, and almost these names, for functions of its own.
            let slips = session.isRoot && (isJob || !host.usesModule) ? host.slips(in: script) : []
            for slip in slips { Complaint.write("\(script.name): \(slip)") }
            if isJob {
                session.isDeclarative = true
                try JobRun(session, host, script, settings, invocation.task).run()
            } else if session.isRoot {
                complain(of: host, hasSlips: !slips.isEmpty)
                if case .check = invocation.task { print("\(script.name): no function work: an imperative script") }
            }
            return session.finish()
        } catch let error as PhaseError {
            return session.end(error.error, phase: error.phase, example: error.example, given: error.given)
        } catch let error as UsageError {
            return session.end(error)
        } catch let error as ReportError where error.example != nil {
            return session.end(ScriptError(message: error.description), phase: .work)
        } catch let end as JobEnd {
            return session.end(end)
        } catch {
            return session.end(UsageError("\(error)"))
        }
    }

    /// Says what is of no use to an imperative script, which is all that it is without a function work.
    private func complain(of host: LuaHost, hasSlips: Bool) {
        complainOfOptions(options)
        let functions = ["examples", "collect", "summarize"].filter { (try? host.isFunction($0)) == true }
        if !functions.isEmpty, !host.usesModule, !hasSlips {
            Complaint.write(
                "the script has \(functions.joined(separator: " and ")), but no function work: nobody calls them")
        }
    }

    /// Says which of `options` an imperative script and its loops do not heed; what has been said is not said again.
    private func complainOfOptions(_ options: JobOptions) {
        let names = options.namesOfJobsOnly.filter { complained.insert($0).inserted }
        guard let last = names.last else { return }
        let all = names.count == 1 ? "\(last) is" : names.dropLast().joined(separator: ", ") + " and \(last) are"
        Complaint.write("\(all) of no use to a script without a function work")
    }

    private func openTimelines(of script: Script) throws(UsageError) {
        guard session.isRoot else { return }
        var text: SystemString?
        if case .file(let path) = invocation.source { text = path }
        let timelines = options.timelines.map { ("--timeline", Optional($0)) }
        try session.startDirectory.during { () throws(UsageError) in
            try FileClash.check(
                [("the script", text), ("--journal", options.journal), ("--output", options.output)] + timelines)
            try session.openTimelines(options.timelines, title: script.name.description)
        }
    }

    private func scripted<Result>(
        _ phase: Fault.Phase, _ body: () throws(ScriptError) -> Result
    ) throws -> Result {
        do { return try body() } catch { throw PhaseError(phase: phase, error: error) }
    }

    /// The seed; a random one is drawn by the root for all, or is that of the journal with which the job goes on.
    private func seed() throws -> Int64 {
        guard case .random = options.seed else {
            guard case .number(let number)? = options.seed else { return 0 }
            return number
        }
        var drawn = Int64.random(in: 0..<(1 << 53))
        if session.isRoot, let journal = options.journal, options.fresh != .yes {
            drawn = session.startDirectory.during { JournalFile.seed(at: journal) } ?? drawn
        }
        var writer = ByteWriter()
        writer.append(littleEndian: drawn)
        let bytes = try session.port.broadcast(writer.finish())
        let number = Int64(littleEndian: bytes.withUnsafeBytes { $0.loadUnaligned(as: Int64.self) })
        if session.isRoot { Complaint.write("seed \(number)") }
        return number
    }

    private func loadScript() throws -> Script {
        let arguments = invocation.arguments
        switch invocation.source {
        case .text(let text):
            return Script(
                chunkName: "=(command line)", source: Bytes(text.bytes), name: "(command line)",
                arguments: arguments)
        case .standardInput:
            // Only the root has one; everybody runs what it read.
            let source = try session.port.broadcast(session.isRoot ? try LineReader.allBytes() : .empty)
            return Script(chunkName: "=stdin", source: source, name: "-", arguments: arguments)
        case .file(let path):
            return Script(chunkName: "@" + path, source: try readFile(path), name: path, arguments: arguments)
        case .journal, .running, .none: throw UsageError("no script given")
        }
    }

    private func readFile(_ path: SystemString) throws(UsageError) -> Bytes {
        let descriptor = open(path.cString, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw UsageError("cannot open the script \(path): \(String(cString: strerror(errno)))")
        }
        defer { close(descriptor) }
        var writer = ByteWriter()
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = read(descriptor, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else {
                throw UsageError("cannot read the script \(path): \(String(cString: strerror(errno)))")
            }
            guard count > 0 else { return writer.finish() }
            buffer.withUnsafeBytes { writer.append(contentsOf: UnsafeRawBufferPointer(rebasing: $0[..<count])) }
        }
    }
}
