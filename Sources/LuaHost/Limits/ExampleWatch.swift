import CLuaHost
import CSystem
import DLP
import Synchronization

/// A thread that makes examples fail that take too long; it sleeps while no examples are running.
final class ExampleWatch {
    /// How long an example may take to fail once its time is over, in nanoseconds.
    static let grace: UInt64 = 2_000_000_000

    /// The state that the watching thread shares with the working thread.
    private final class Gate: Sendable {
        struct State {
            var isWorking = false
            var isAsleep = false
            var isOver = false
        }

        let state = Mutex(State())
        let waker: EventWaker

        init() throws(CommunicationError) { waker = try EventWaker() }
    }

    private let gate: Gate
    private let thread: ServiceThread

    /// Watches the examples of a Lua state.
    ///
    /// - Parameters:
    ///   - limit: how long each may take, in nanoseconds.
    ///   - endPrograms: called on the watching thread with the programs that an example started which took too long.
    ///   - giveUp: called on the watching thread with an example, from 1, that took too long and cannot be made to fail.
    /// - Throws: `CommunicationError` where the system provides no thread or no waker.
    init(
        _ lua: LuaState, limit: UInt64, endPrograms: @escaping @Sendable ([Int32]) -> Void,
        giveUp: @escaping @Sendable (Int) -> Void
    ) throws(CommunicationError) {
        let gate = try Gate()
        self.gate = gate
        // The state outlives the thread, because `stop` ends the thread first.
        let address = UInt(bitPattern: lua)
        let watch: @Sendable () -> Void = {
            guard let lua = LuaState(bitPattern: address) else { return }
            Self.watch(lua, gate, ExampleTimer(limit: limit, grace: Self.grace), endPrograms, giveUp)
        }
        thread = try ServiceThread(watch)
    }

    /// Starts watching: examples follow.
    func resume() {
        let isAsleep = gate.state.withLock { state in
            defer { state.isAsleep = false }
            state.isWorking = true
            return state.isAsleep
        }
        if isAsleep { gate.waker.wake() }
    }

    /// Stops watching until `resume`: no example is running.
    func pause() { gate.state.withLock { $0.isWorking = false } }

    /// Ends the thread, and waits for it.
    func stop() {
        gate.state.withLock { $0.isOver = true }
        gate.waker.wake()
        thread.join()
    }

    private static func watch(
        _ lua: LuaState, _ gate: Gate, _ timer: ExampleTimer, _ endPrograms: ([Int32]) -> Void, _ giveUp: (Int) -> Void
    ) {
        var timer = timer
        while true {
            let (isOver, isAsleep) = gate.state.withLock { state in
                state.isAsleep = !state.isWorking
                return (state.isOver, state.isAsleep)
            }
            if isOver { return }
            let example = dlp_example_under_way(lua)
            switch isAsleep ? .lookAgain(after: .max) : timer.look(at: example.number, now: dlp_now()) {
            case .lookAgain(let pause): _ = gate.waker.wait(nanoseconds: pause)
            case .expire(let pause):
                dlp_expire_example(lua, example.number)
                let programs = programs(of: example.number, lua)
                if !programs.isEmpty { endPrograms(programs) }
                _ = gate.waker.wait(nanoseconds: pause)
            case .giveUp: return giveUp(Int(example.index))
            }
        }
    }

    private static func programs(of example: UInt64, _ lua: LuaState) -> [Int32] {
        [Int32](unsafeUninitializedCapacity: program_slots) { programs, count in
            count = programs.baseAddress.map { Int(dlp_programs_of(lua, example, $0)) } ?? 0
        }
    }
}
