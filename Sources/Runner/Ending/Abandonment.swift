import Glibc
import Launcher
import LuaHost

/// How a script ends whose job is over.
enum Abandonment {
    /// Makes the script fail, and lets the programs end for which it may wait.
    static func begin(_ interrupter: Interrupter?) {
        interrupter?.interrupt()
        Descendants().signal(SIGTERM)
    }

    /// Ends this process, whose script is in a function that does not come back, and what it has started.
    static func finish(status: Int32) -> Never {
        Descendants().signal(SIGKILL)
        _exit(status)
    }
}
