import Glibc
import Synchronization

/// Removes a file where a signal ends this process: the file holds a key.
///
/// Code that handles signals calls `removeNow` before the process ends. Signals that no code handles are handled here.
enum EndingCleaner {
    /// The addresses of the paths of the file and of its draft, in memory that is never freed; 0: there are none.
    private static let path = Atomic<UInt>(0)
    private static let draft = Atomic<UInt>(0)
    private static let signals = [SIGINT, SIGTERM, SIGHUP]

    /// From now on both files are removed when this process is ended by a signal that ends it by default.
    static func remove(atEnd path: String, draft: String) {
        forget()
        Self.path.store(UInt(bitPattern: strdup(path)), ordering: .releasing)
        Self.draft.store(UInt(bitPattern: strdup(draft)), ordering: .releasing)
        for signal in signals where isDefault(signal) {
            var handler = sigaction()
            handler.__sigaction_handler.sa_handler = handle
            sigaction(signal, &handler, nil)
        }
    }

    /// Forgets the file, which is removed already, or may stay.
    static func forget() {
        path.store(0, ordering: .relaxed)
        draft.store(0, ordering: .relaxed)
        var usual = sigaction()
        usual.__sigaction_handler.sa_handler = nil
        // A signal that other code handles by now is left alone.
        for signal in signals where isOurs(signal) { sigaction(signal, &usual, nil) }
    }

    /// Removes both, if they are there; a signal's handler may call it.
    static func removeNow() {
        // The draft goes first, since it may just be taking the place of the file.
        for address in [draft.load(ordering: .acquiring), path.load(ordering: .acquiring)] {
            if let name = UnsafePointer<CChar>(bitPattern: address) { unlink(name) }
        }
    }

    private static let handle: @convention(c) (Int32) -> Void = { signal in
        EndingCleaner.removeNow()
        // The signal that is raised now is held back until this handler has returned.
        var usual = sigaction()
        sigaction(signal, &usual, nil)
        raise(signal)
    }

    private static func present(_ signal: Int32) -> Int {
        var present = sigaction()
        sigaction(signal, nil, &present)
        return unsafeBitCast(present.__sigaction_handler.sa_handler, to: Int.self)
    }

    private static func isDefault(_ signal: Int32) -> Bool { present(signal) == 0 }

    private static func isOurs(_ signal: Int32) -> Bool { present(signal) == unsafeBitCast(handle, to: Int.self) }
}
