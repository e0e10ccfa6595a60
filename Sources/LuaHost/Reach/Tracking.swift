import CLua
import CLuaHost
public import DLP

/// What is known of a script's functions while it is recorded which of them examples enter.
struct Tracking {
    /// The digest of everything reached.
    let reach: Digest
    /// The number of parts; functions have numbers below it.
    let count: Int
    /// The numbers of functions, by address, or a code for something else that is to be recorded.
    ///
    /// A new function at the address of one that has been freed counts as the old one, too. The function that made it counts
    /// in any case.
    let functions: [UnsafeRawPointer: Int32]
    /// Whether files may be read.
    let readsFiles: Bool
    /// Whether `setup` is called before tracking begins.
    let hasSetup: Bool
    /// Whether examples are being recorded.
    var isUnderWay = false
    /// The names of what is watched, for messages.
    var watched: [String] = []
    /// Whether state may be kept in a place that cannot be watched.
    var keeps = false

    /// - Parameter walk: the walk that found `reach`.
    init(_ reach: Reach, _ walk: ReachWalk, hasSetup: Bool) {
        self.reach = reach.digest
        count = reach.graph == nil ? 0 : reach.parts.count
        readsFiles = !reach.inputs.isEmpty
        self.hasSetup = hasSetup
        let own = walk.numbers.compactMapValues { number -> Int32? in
            guard walk.items[number].table == 0 else { return nil }
            lua_rawgeti(walk.state, walk.anchors, lua_Integer(number + 1))
            defer { pop(walk.state) }
            // It cannot be observed what a C function of a module does.
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

    /// Watches everything that `walk` found from now on: tables and functions by their contents, globals by their values.
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
        // The module's own tables are left out: they change when a function of the module is used for the first time.
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
    /// Begins to record what examples enter, if `reachOfWork` was asked to track.
    ///
    /// `setup` must have been called. Further calls do nothing.
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

    /// Records the state of what is to be watched, before code of the script runs again.
    func prepareTracking() {
        guard let tracking, tracking.count > 0 else { return }
        _ = dlp_start_tracking(state, tracking.count, tracking.watched.count, tracking.keeps, false)
    }

    /// Stops tracking if code that was not observed, such as `cost`, has changed what examples find.
    func checkUntouched() {
        if tracking?.isUnderWay == false, !dlp_is_untouched(state) { endTracking() }
    }

    /// Stops tracking.
    func endTracking() {
        guard tracking != nil else { return }
        dlp_stop_tracking(state)
        tracking = nil
    }

    /// Sends the root the traces of the examples in the next report of a loop, if there are any.
    public func postTraces(of loop: UInt64) throws(JobEnd) {
        if let traces = takeTraces() { try client.post(.traces(loop: loop, traces)) }
    }

    /// Returns the traces since the last call; nil where there are none.
    func takeTraces() -> TraceReport? {
        guard let tracking else { return nil }
        let traced = dlp_take_traced(state)
        guard traced.count > 0 else { return nil }
        var reader = TraceReader(UnsafeRawBufferPointer(start: traced.bytes, count: traced.count), words: traced.words)
        reader.read()
        let kept = traced.changed > 0 ? tracking.watched[traced.changed - 1] : nil
        return TraceReport(reach: tracking.reach, kept: kept, traces: reader.traces, runs: reader.runs)
    }
}

/// Reads the records of examples one after another.
private struct TraceReader {
    private let bytes: UnsafeRawBufferPointer
    private let words: Int
    /// The traces found, each once.
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
            // Mostly a trace equals the one before.
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
