import Glibc

/// Removes a file where a signal ends this process, before anything else of it handles signals: the file holds a key.
enum EndingCleaner {
    /// The paths of the file and of its draft, in memory that is never given back; written while no handler of ours is
    /// installed.
    nonisolated(unsafe) private static var path: UnsafeMutablePointer<CChar>?
    nonisolated(unsafe) private static var draft: UnsafeMutablePointer<CChar>?
    private static let signals = [SIGINT, SIGTERM, SIGHUP]

    /// From now on both go with this process, where it is ended by a signal whose effect that is.
    static func remove(atEnd path: String, draft: String) {
        forget()
        Self.path = strdup(path)
        Self.draft = strdup(draft)
        for signal in signals where isDefault(signal) {
            var handler = sigaction()
            handler.__sigaction_handler.sa_handler = handle
            sigaction(signal, &handler, nil)
        }
    }

    /// The file is no more, or may stay.
    static func forget() {
        var usual = sigaction()
        usual.__sigaction_handler.sa_handler = nil
        // Where somebody else handles the signal by now, that is none of our business.
        for signal in signals where isOurs(signal) { sigaction(signal, &usual, nil) }
    }

    private static let handle: @convention(c) (Int32) -> Void = { signal in
        if let path = EndingCleaner.path { unlink(path) }
        if let draft = EndingCleaner.draft { unlink(draft) }
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
