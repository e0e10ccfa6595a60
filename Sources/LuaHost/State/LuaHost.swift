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
    /// Encodes values for collectives.
    ///
    /// It is separate because collectives can run while results are being collected.
    let collectiveEncoder = LuaEncoder()
    /// Writes values as JSON for the script.
    var jsonRenderer = JSONRenderer()
    var jsonText = ByteWriter()
    /// Writes values as JSON for programs.
    var lineRenderer = JSONRenderer(for: .program)
    /// Whether a function of the job is running that other ranks need not call.
    ///
    /// A loop that begins there is this rank's alone, and a collective would wait for the other ranks in vain.
    private(set) var isApart = false
    /// Whether the script has asked for a function of the module `dlp`.
    public internal(set) var usesModule = false
    /// How the job ended while the script waited for other ranks.
    ///
    /// Once set, errors of the script no longer count.
    public internal(set) var jobEnd: JobEnd?
    /// Called for `os.exit`, before the process ends, to tell the other ranks; returns the exit status.
    public var willExit: (Int32) -> Int32 = { $0 }
    /// Called after each example of a job: whether this rank is to leave, so that the rest of its chunk goes back.
    public var isLeaving: () -> Bool = { false }
    /// The object that is told of the module's loops.
    public weak var loopDelegate: (any LoopDelegate)?
    /// The options of the module's loops where the script does not give any.
    let loopDefaults: LoopDefaults
    /// The loops of the module in which this rank takes part, by their number.
    var moduleLoops: [UInt64: LoopPart] = [:]
    /// The one of them that was used last.
    var latestPart: LoopPart?
    var memoryMeter = MemoryMeter()
    /// Counts the examples that `work` has done here.
    public let workCounter = WorkCounter()
    /// Whether the script is confined to functions that can do no harm.
    let isSandboxed: Bool
    /// The limit of its memory in bytes, for messages.
    var memoryLimit: Int?
    /// What is known of its functions, if it is recorded which of them examples enter.
    var tracking: Tracking?
    /// Restores examples that `work` has changed, if they are used again.
    var exampleKeeper: ExampleKeeper?
    /// Whether `collect` is running.
    var isCollecting = false
    /// Whether `collect` has said that it wants no more results.
    public internal(set) var wantsNoMore = false
    /// The encoded examples that `collect` has added to the list since they were last taken.
    var additions: [Bytes] = []
    /// How commands are shown, if the script is a command.
    public var commandOptions = CommandOptions()
    /// Where this rank keeps the output of commands, if anywhere.
    public var outputFolders: OutputFolders?
    /// Makes examples fail that take too long, if there is a limit.
    var exampleWatch: ExampleWatch?

    /// The options of the module's loops where the script does not give any.
    public struct LoopDefaults {
        /// Whether the root takes examples too.
        public var rootWorks = true
        /// A fixed chunk size.
        public var chunk: Int?
        /// What happens when elements fail and when ranks die.
        public var failures = FailurePolicy()
        /// How long an element may take, in seconds.
        public var timeout: Double?
        /// Whether the results of named loops are kept, so that all ranks must use the same names.
        public var keepsStages = false
        /// Whether it is recorded what functions elements enter.
        public var tracks = false

        /// The defaults of the command line.
        public init() {}
    }

    /// A state whose module `dlp` communicates through `client`.
    ///
    /// - Parameters:
    ///   - backend: the value of `dlp.backend`.
    ///   - version: the value of `dlp.version`.
    ///   - localPlace: this rank's place among the ranks of its host, and their number; nil where that is unknown.
    ///   - seed: seeds `math.random`, together with an example's index.
    ///   - isSandboxed: whether the script may not use files, programs, modules and bytecode.
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
        // The context is set below: `self` may not be used before all properties are initialised.
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

    /// The seed of `math.random`, used together with an example's index.
    public var seed: Int64

    /// Seeds `math.random` for the example `index`, from 1; for collecting the result of an example, the index is negative; for
    /// everything else it is 0.
    public func seedRandom(index: Int) { dlp_random_seed(state, seed, lua_Integer(index)) }

    /// Lets another thread make the script fail.
    public let interrupter: Interrupter

    /// The address of the value `dlp.LATER`, once the script has asked for it.
    var laterAddress: UnsafeRawPointer?

    /// The address of the table that the module's functions share.
    var coreAddress: UnsafeRawPointer?

    /// Returns the encoded examples that `collect` has added to the list, and removes them.
    public func takeAdditions() -> [Bytes] {
        defer { additions = [] }
        return additions
    }

    /// Closes the Lua state, which runs the script's finalizers; after this no script can run in it.
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

    /// The example of the job, from 1, in whose `work` the script is; nil where it is in none.
    public var exampleAtWork: Int? {
        let example = dlp_example_under_way(state)
        return example.number == 0 || dlp_is_at_element(state) ? nil : Int(example.index)
    }

    /// A number that changes whenever the script prints.
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

    /// Calls a function of the job; where `condition` holds, it counts as one that other ranks need not call.
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
