import DLP
import Glibc

/// Keeps other jobs off a journal for as long as it lives; it goes with the process, however that ends.
///
/// It locks one byte of the file, so that others can read meanwhile. SQLite's own locks would be lost when any descriptor of
/// the file is closed: the journal closes its connections first.
struct JournalLock: ~Copyable {
    private let descriptor: Int32

    /// How long another job may take to let go, in tries and microseconds between them: one that is just ending, or a program
    /// that it is about to start, which has all its files open for a moment.
    private static let (tries, pause): (Int, UInt32) = (100, 20_000)

    /// Creates the file at `path` where it is not there, and locks it.
    ///
    /// - Throws: `JournalError` where it cannot be written, or another job has it.
    init(path: SystemString) throws(JournalError) {
        let descriptor = open(path.cString, O_RDWR | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0o666)
        guard descriptor >= 0 else { throw JournalError(path: path, errno: errno) }
        var code: Int32 = 0
        for _ in 0..<Self.tries {
            code = FileRegion.lock(descriptor, at: FileRegion.writer, F_WRLCK)
            guard code == EAGAIN || code == EACCES else { break }
            usleep(Self.pause)
        }
        guard code == 0 else {
            close(descriptor)
            guard code == EAGAIN || code == EACCES else { throw JournalError(path: path, errno: code) }
            throw JournalError(
                "another job writes the journal \(path); wait until it has ended, or name another file")
        }
        self.descriptor = descriptor
    }

    /// Whether somebody watches the journal.
    var isWatched: Bool { FileRegion.isLocked(descriptor, at: FileRegion.watchers) }

    deinit { close(descriptor) }
}

/// Says to the job that writes a journal that somebody watches it, for as long as it lives.
struct WatcherLock: ~Copyable {
    private let descriptor: Int32

    /// Says so of the journal at `path`.
    ///
    /// - Throws: `JournalError` where it cannot be read.
    init(path: SystemString) throws(JournalError) {
        descriptor = open(path.cString, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw JournalError(path: path, errno: errno) }
        // Where the file system has no locks the job does not hear of it, and there is less to see.
        _ = FileRegion.lock(descriptor, at: FileRegion.watchers, F_RDLCK)
    }

    /// Whether the journal at `path` is still the same file.
    func isStill(_ path: SystemString) -> Bool {
        var (own, present) = (stat(), stat())
        return fstat(descriptor, &own) == 0 && stat(path.cString, &present) == 0 && own.st_dev == present.st_dev
            && own.st_ino == present.st_ino
    }

    /// Whether a job writes the journal.
    var isWritten: Bool { FileRegion.isLocked(descriptor, at: FileRegion.writer) }

    deinit { close(descriptor) }
}

/// Bytes of a journal's file that stand for something when they are locked; SQLite locks bytes from 2^30 on.
///
/// The locks belong to the open file, so that no `close` elsewhere ends them.
private enum FileRegion {
    /// The job that writes it.
    static let writer: off_t = 1 << 40
    /// Those that watch it.
    static let watchers: off_t = writer + 1

    // `F_OFD_GETLK` and `F_OFD_SETLK`, which the module Glibc lacks.
    private static let (getLock, setLock): (Int32, Int32) = (36, 37)

    private static func region(_ position: off_t, _ type: Int32) -> flock {
        flock(l_type: Int16(type), l_whence: Int16(SEEK_SET), l_start: position, l_len: 1, l_pid: 0)
    }

    /// Locks a byte, `type` F_RDLCK or F_WRLCK.
    ///
    /// - Returns: 0, or why it cannot be locked.
    static func lock(_ descriptor: Int32, at position: off_t, _ type: Int32) -> Int32 {
        var lock = region(position, type)
        return fcntl(descriptor, setLock, &lock) == 0 ? 0 : errno
    }

    /// Whether somebody else has locked a byte.
    static func isLocked(_ descriptor: Int32, at position: off_t) -> Bool {
        var lock = region(position, F_WRLCK)
        return fcntl(descriptor, getLock, &lock) == 0 && lock.l_type != Int16(F_UNLCK)
    }
}
