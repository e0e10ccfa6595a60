import Glibc
import Synchronization

/// Removes a file where a signal ends this process: the file holds a key.
///
/// Who handles signals calls `removeNow` before the end; where nobody does, it handles them itself.
enum EndingCleaner {
    /// Where the paths of the file and of its draft are, in memory that is never given back; 0: there are none.
    private static let path = Atomic<UInt>(0)
    private static let draft = Atomic<UInt>(0)
    private static let signals = [SIGINT, SIGTERM, SIGHUP]

    /// From now on both go with this process, where it is ended by a signal whose effect that is.
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

    /// The file is no more, or may stay.
    static func forget() {
        path.store(0, ordering: .relaxed)
        draft.store(0, ordering: .relaxed)
        var usual = sigaction()
        usual.__sigaction_handler.sa_handler = nil
        // Where somebody else handles the signal by now, that is none of our business.
        for signal in signals where isOurs(signal) { sigaction(signal, &usual, nil) }
    }

    /// Removes both, if they are there; a signal's handler may call it.
    static func removeNow() {
        // The draft may just take its place.
        for address in [draft.load(ordering: .acquiring), path.load(ordering: .acquiring)] {
            if let name = UnsafePointer<CChar>(bitPattern: address) { unlink(name) }
        }
    }

    private static let handle: @convention(c) (Int32) -> Void = { signal in
        EndingCleaner.removeNow()
        // The signal that comes now is held back until this handler has returned.
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
