import CLua
import CLuaHost
public import DLP

/// The Lua state of a rank, with the module `dlp` in it.
///
/// It belongs to the thread that made it; only `interrupter` may be used from another.
public final class LuaHost {
    let state: LuaState
    let client: any RankClient
    let localPlace: (rank: Int, size: Int)?
    /// Collects the results of a chunk.
    let encoder = LuaEncoder()
    /// Encodes what collectives send: that may happen while results are being collected.
    let collectiveEncoder = LuaEncoder()
    /// Writes values as JSON for the script.
    var jsonRenderer = JSONRenderer()
    var jsonText = ByteWriter()
    /// Writes values as JSON for programs.
    var lineRenderer = JSONRenderer(for: .program)
    /// Whether a function of the job is being called to which the other ranks need not come: a loop begun there is this
    /// rank's own, and a collective would wait for the others.
    private(set) var isApart = false
    /// Whether the script has asked for a function of the module `dlp`.
    public internal(set) var usesModule = false
    /// Why the job ended while the script waited for other ranks: then no error of the script counts any more.
    public internal(set) var jobEnd: JobEnd?
    /// Called for `os.exit`, before the process ends, to tell the other ranks; returns the status with which it ends.
    public var willExit: (Int32) -> Int32 = { $0 }
    /// Asked after each example of a job: whether this rank is to leave, so that the rest of its chunk goes back.
    public var isLeaving: () -> Bool = { false }
    /// Who is told of the loops of the module.
    public weak var loopDelegate: (any LoopDelegate)?
    /// What the module's loops do unless told otherwise.
    let loopDefaults: LoopDefaults
    /// The loops of the module in which this rank takes part, by their number.
    var moduleLoops: [UInt64: LoopPart] = [:]
    var loopUnderWay = LoopUnderWay()
    /// How far the present chunk of such a loop has been reported: the time since it began, and the processor time then.
    var loopReported: (time: UInt64, cpu: UInt64) = (0, 0)
    var memoryMeter = MemoryMeter()
    /// Counts the examples that `work` has done here.
    public let workCounter = WorkCounter()
    /// Whether the script has only what can do no harm.
    let isSandboxed: Bool
    /// How many bytes of memory it may use, for messages.
    var memoryLimit: Int?
    /// What is known of its functions, where it is noted which of them examples enter.
    var tracking: Tracking?
    /// Puts examples back that `work` has changed, where somebody sees them again.
    var exampleKeeper: ExampleKeeper?
    /// Whether `collect` runs.
    var isCollecting = false
    /// Whether `collect` has said that it wants no more results.
    public internal(set) var wantsNoMore = false
    /// The examples, encoded, that it has added to the list since they were last taken.
    var additions: [Bytes] = []
    /// How commands are shown, where those are the script.
    public var commandOptions = CommandOptions()
    /// Where this rank keeps what commands have written, if anywhere.
    public var outputFolders: OutputFolders?
    /// Makes examples fail which take too long, where there is a limit.
    var exampleWatch: ExampleWatch?

    /// How the loops of the module `dlp` run where their options do not say.
    public struct LoopDefaults {
        /// Whether the root takes examples too.
        public var rootWorks = true
        /// A fixed chunk size.
        public var chunk: Int?
        /// What becomes of elements that fail, and of ranks that die.
        public var failures = FailurePolicy()
        /// How long an element may take, in seconds.
        public var timeout: Double?
        /// Whether the results of loops that have a name are kept, so that all ranks must name the same.
        public var keepsStages = false
        /// Whether it is noted what their elements enter.
        public var tracks = false

        /// The defaults of the command line.
        public init() {}
    }

    /// A state whose module `dlp` communicates through `client`.
    ///
    /// - Parameters:
    ///   - backend: what `dlp.backend` says.
    ///   - version: what `dlp.version` says.
    ///   - localPlace: this rank's place among those of its host, and how many these are; nil where nobody says.
    ///   - seed: with an example's index, what seeds `math.random`.
    ///   - isSandboxed: whether files, programs, modules and bytecode are kept from the script.
    /// - Throws: `ScriptError` where memory is short.
    public init(
        client: any RankClient, backend: String, version: String, seed: Int64,
        localPlace: (rank: Int, size: Int)? = nil,
        loopDefaults: LoopDefaults = LoopDefaults(), isSandboxed: Bool = false
    ) throws(ScriptError) {
        self.client = client
        self.localPlace = localPlace
        self.seed = seed
        self.loopDefaults = loopDefaults
        self.isSandboxed = isSandboxed
        // The context is filled in below: `self` may not be used before all is initialised.
        guard let state = dlp_new_state() else {
            throw ScriptError(message: "not enough memory for a Lua state")
        }
        self.state = state
        interrupter = Interrupter(state)
        dlp_set_dispatcher(state, dispatchCallFromLua, Unmanaged.passUnretained(self).toOpaque())
        dlp_random_open(state)
        dlp_random_seed(state, seed, 0)
        try openModule(backend: backend, version: version)
    }

    deinit { close() }

    /// What seeds `math.random`, together with an example's index.
    public var seed: Int64

    /// Seeds `math.random` as for the example `index`, counted from 1; minus that is for collecting its result, and 0 for
    /// everything that is no example.
    public func seedRandom(index: Int) { dlp_random_seed(state, seed, lua_Integer(index)) }

    /// Lets another thread make the script fail.
    public let interrupter: Interrupter

    /// Where the value `dlp.LATER` is, once the script has asked for it.
    var laterAddress: UnsafeRawPointer?

    /// Where the table is that the module's functions have among themselves.
    var coreAddress: UnsafeRawPointer?

    /// Takes the examples, encoded, that `collect` has added to the list.
    public func takeAdditions() -> [Bytes] {
        defer { additions = [] }
        return additions
    }

    /// Closes the Lua state, which runs what the script wants run at its end; no script runs in it any more.
    public func close() {
        guard !isClosed else { return }
        isClosed = true
        try? closeIterator()
        interrupter.forget()
        exampleWatch?.stop()
        exampleWatch = nil
        dlp_close(state)
    }

    private var isClosed = false

    /// The example of the job, counted from 1, in whose `work` the script is.
    public var exampleAtWork: Int? {
        let example = dlp_example_under_way(state)
        return example.number == 0 || dlp_is_at_element(state) ? nil : Int(example.index)
    }

    /// A number that changes when the script prints.
    public var printed: UInt64 { dlp_printed(state) }

    /// Whether the examples come from an iterator that has not been closed.
    var hasOpenIterator = false

    /// Whether the script has been made to fail because the job is over.
    public var isInterrupted: Bool { interrupter.isInterrupted }

    /// Ends all scripting in this state because the job is over.
    func end(_ end: JobEnd) {
        if jobEnd == nil { jobEnd = end }
        interrupter.interrupt()
    }

    /// Calls a function of the job, where `condition` holds as one to which the other ranks need not come.
    func apart<Result, Failure: Error>(
        when condition: Bool = true, _ body: () throws(Failure) -> Result
    ) throws(Failure) -> Result {
        let before = isApart
        isApart = condition
        defer { isApart = before }
        return try body()
    }

    /// Removes everything from the stack.
    func clearStack() { lua_settop(state, 0) }
}
