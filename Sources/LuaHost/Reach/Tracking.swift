import CLua
import CLuaHost
public import DLP

/// What is known of the functions of a script while it is noted which of them examples enter.
struct Tracking {
    /// Of what is reached.
    let reach: Digest
    /// How many parts there are, which is how many numbers functions may have.
    let count: Int
    /// The numbers of functions by their addresses, or what else is to be noted of them.
    ///
    /// Another function at the address of one that has gone counts as that one, too; what has made it counts in any case.
    let functions: [UnsafeRawPointer: Int32]
    /// Whether files may be read.
    let readsFiles: Bool
    /// Whether `setup` is called before it begins.
    let hasSetup: Bool
    /// Whether examples are noted already.
    var isUnderWay = false
    /// What is watched, by names for messages.
    var watched: [String] = []
    /// Whether something may be kept by what nobody can watch.
    var keeps = false

    /// - Parameter walk: by which `reach` was found.
    init(_ reach: Reach, _ walk: ReachWalk, hasSetup: Bool) {
        self.reach = reach.digest
        count = reach.graph == nil ? 0 : reach.parts.count
        readsFiles = !reach.inputs.isEmpty
        self.hasSetup = hasSetup
        let own = walk.numbers.compactMapValues { number -> Int32? in
            guard walk.items[number].table == 0 else { return nil }
            lua_rawgeti(walk.state, walk.anchors, lua_Integer(number + 1))
            defer { pop(walk.state) }
            // What a function of a module in C does nobody sees.
            let isForeign = lua_tocfunction(walk.state, -1) != nil && !walk.host.isOwnFunction(at: -1)
            return isForeign ? Int32(dlp_track_anything) : Int32(walk.items[number].part)
        }
        let known = walk.names.values.compactMapValues { name -> Int32? in
            if name == "io.open" { return Int32(dlp_track_open) }
            if name == "io.read" { return Int32(dlp_track_anything) }
            return ReachWalk.openers.contains(name) || name == "dlp.digest_file"
                ? Int32(dlp_track_input) : nil
        }
        functions = own.merging(known) { $1 }
        watch(walk)
    }

    /// What lies at `walk` is watched from now on: tables and functions by what is in them, globals by their values.
    mutating func watch(_ walk: ReachWalk) {
        let state = walk.state
        lua_createtable(state, 0, 0)
        let table = lua_gettop(state)
        watched = []
        for (number, item) in walk.items.enumerated() {
            lua_rawgeti(state, walk.anchors, lua_Integer(number + 1))
            watched.append(item.name)
            lua_rawseti(state, table, lua_Integer(watched.count))
        }
        // The module's own tables change when something of it is used for the first time.
        for library in walk.libraries.sorted() where !library.hasPrefix("dlp") {
            walk.names.pushTable(of: library, state)
            watched.append(library)
            lua_rawseti(state, table, lua_Integer(watched.count))
        }
        for global in walk.globals {
            push(state, SystemString(bytes: global))
            watched.append(String(decoding: global, as: UTF8.self))
            lua_rawseti(state, table, lua_Integer(watched.count))
        }
        push(state, dlp_watched)
        lua_rotate(state, -2, 1)
        lua_rawset(state, LuaHost.registry)
        keeps = walk.isUnwatched || walk.hasObstacles
    }
}

extension LuaHost {
    /// Notes from now on what examples enter, where that was wanted when it was looked what `work` reaches.
    ///
    /// `setup` has been called; to call this again does nothing.
    ///
    /// - Parameter hasBetween: whether other code of the script may run here between two examples.
    public func beginTracking(hasBetween: Bool) {
        guard var tracking, !tracking.isUnderWay, tracking.count > 0 else { return }
        tracking.isUnderWay = true
        let top = lua_gettop(state)
        defer { lua_settop(state, top) }
        if tracking.hasSetup {
            let hadCollector = dlp_stop_collector(state)
            defer { if hadCollector { dlp_restart_collector(state) } }
            tracking.watch(watchedAfterSetup())
        } else {
            checkUntouched()
            guard self.tracking != nil else { return }
        }
        self.tracking = tracking
        if tracking.readsFiles { dlp_await_tick() }
        guard
            dlp_start_tracking(state, tracking.count, tracking.watched.count, tracking.keeps, hasBetween)
        else { return }
        if !tracking.functions.allSatisfy({ dlp_track_function(state, $0.key, $0.value) }) { dlp_stop_tracking(state) }
    }

    /// Notes what there is to be watched before anything of the script runs again.
    func prepareTracking() {
        guard let tracking, tracking.count > 0 else { return }
        _ = dlp_start_tracking(state, tracking.count, tracking.watched.count, tracking.keeps, false)
    }

    /// Gives tracking up where code that nobody has seen, as `cost`, has changed what examples find.
    func checkUntouched() {
        if tracking?.isUnderWay == false, !dlp_is_untouched(state) { endTracking() }
    }

    /// Notes nothing any more.
    func endTracking() {
        guard tracking != nil else { return }
        dlp_stop_tracking(state)
        tracking = nil
    }

    /// Tells the root what was noted of the examples that the next report of a loop is about, where anything was.
    public func postTraces(of loop: UInt64) throws(JobEnd) {
        if let traces = takeTraces() { try client.post(.traces(loop: loop, traces)) }
    }

    /// What was noted since the last call; nil where nothing was.
    func takeTraces() -> TraceReport? {
        guard let tracking else { return nil }
        let traced = dlp_take_traced(state)
        guard traced.count > 0 else { return nil }
        var reader = TraceReader(UnsafeRawBufferPointer(start: traced.bytes, count: traced.count), words: traced.words)
        reader.read()
        // Where the first example has been told, what it has left is what matters.
        let kept = traced.changed > 0 && !tracking.keeps ? tracking.watched[traced.changed - 1] : nil
        return TraceReport(reach: tracking.reach, kept: kept, traces: reader.traces, runs: reader.runs)
    }
}

/// Reads what was noted of examples one after another.
private struct TraceReader {
    private let bytes: UnsafeRawBufferPointer
    private let words: Int
    /// The traces that it has found, each once.
    private(set) var traces: [Bytes] = []
    private(set) var runs: [TraceReport.Run] = []
    private var places: [[UInt8]: Int] = [:]

    init(_ bytes: UnsafeRawBufferPointer, words: Int) {
        self.bytes = bytes
        self.words = words
    }

    mutating func read() {
        var position = 0
        var latest: (bytes: Range<Int>, trace: Int)?
        while position < bytes.count {
            let head = bytes.loadUnaligned(fromByteOffset: position, as: dlp_traced_head.self)
            let start = position + MemoryLayout<dlp_traced_head>.size
            let facts = start..<start + words * 8 + Int(head.files)
            position = facts.upperBound
            let trace: Int
            if head.is_open != 0, head.files == 0 {
                add(Int(head.index) - 1, -1)
                latest = nil
                continue
            }
            // Mostly it is as that of the one before.
            if let latest, bytes[latest.bytes].elementsEqual(bytes[facts]) {
                trace = latest.trace
            } else {
                trace = self.trace(of: facts, isOpen: head.is_open != 0)
            }
            latest = head.is_open == 0 ? (facts, trace) : nil
            add(Int(head.index) - 1, trace)
        }
    }

    private mutating func add(_ index: Int, _ trace: Int) {
        if let last = runs.last, last.trace == trace, last.first + last.count == index {
            runs[runs.count - 1].count += 1
        } else {
            runs.append(TraceReport.Run(first: index, count: 1, trace: trace))
        }
    }

    private mutating func trace(of facts: Range<Int>, isOpen: Bool) -> Int {
        let key = Array(bytes[facts]) + [isOpen ? 1 : 0]
        if let place = places[key] { return place }
        places[key] = traces.count
        var functions = Array(bytes[facts.lowerBound..<facts.lowerBound + words * 8])
        while functions.last == 0 { functions.removeLast() }
        traces.append(
            ExampleTrace(
                functions: isOpen ? [] : functions, files: files(facts.lowerBound + words * 8..<facts.upperBound),
                isOpen: isOpen
            ).encoded)
        return traces.count - 1
    }

    private func files(_ place: Range<Int>) -> [ExampleTrace.File] {
        var files: [ExampleTrace.File] = []
        var position = place.lowerBound
        while position < place.upperBound {
            let numbers = (0..<4).map { bytes.loadUnaligned(fromByteOffset: position + 8 * $0, as: Int64.self) }
            let path = position + 32..<position + 32 + Int(numbers[3])
            files.append(
                ExampleTrace.File(
                    path: Array(bytes[path]), size: numbers[0], seconds: numbers[1], nanoseconds: numbers[2]))
            position = path.upperBound
        }
        return files
    }
}
