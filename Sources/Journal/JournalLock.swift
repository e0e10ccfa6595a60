import DLP
import Glibc

/// Keeps other jobs from writing a journal while this object exists.
///
/// The lock ends with the process, however it ends.
///
/// It locks one byte of the file, so that others can still read. SQLite's own locks are lost when any descriptor of the file
/// is closed; therefore the journal closes its connections first.
struct JournalLock: ~Copyable {
    private let descriptor: Int32

    /// How often to try again, and the pause between tries in microseconds, while another process holds the lock: a job
    /// that is just ending, or a program that such a job is starting, which still has all its files open for a moment.
    private static let (tries, pause): (Int, UInt32) = (100, 20_000)

    /// Creates the file at `path` if it does not exist, and locks it.
    ///
    /// - Throws: `JournalError` where it cannot be written, or where another job holds the lock.
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

    /// Whether a user is watching the journal.
    var isWatched: Bool { FileRegion.isLocked(descriptor, at: FileRegion.watchers) }

    deinit { close(descriptor) }
}

/// Tells the job that writes a journal that a user is watching it, while this object exists.
struct WatcherLock: ~Copyable {
    private let descriptor: Int32

    /// Starts watching the journal at `path`.
    ///
    /// - Throws: `JournalError` where it cannot be read.
    init(path: SystemString) throws(JournalError) {
        descriptor = open(path.cString, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw JournalError(path: path, errno: errno) }
        // If the file system has no locks, the job does not notice the watcher, and less is shown.
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

/// Bytes of a journal's file that have a meaning when they are locked; SQLite locks bytes from 2^30 on.
///
/// The locks belong to the open file, so that closing another descriptor does not end them.
private enum FileRegion {
    /// Locked by the job that writes the journal.
    static let writer: off_t = 1 << 40
    /// Locked by the processes that watch it.
    static let watchers: off_t = writer + 1

    // `F_OFD_GETLK` and `F_OFD_SETLK`, which are missing in the module Glibc.
    private static let (getLock, setLock): (Int32, Int32) = (36, 37)

    private static func region(_ position: off_t, _ type: Int32) -> flock {
        flock(l_type: Int16(type), l_whence: Int16(SEEK_SET), l_start: position, l_len: 1, l_pid: 0)
    }

    /// Locks a byte, `type` F_RDLCK or F_WRLCK.
    ///
    /// - Returns: 0, or the reason (`errno`) why it cannot be locked.
    static func lock(_ descriptor: Int32, at position: off_t, _ type: Int32) -> Int32 {
        var lock = region(position, type)
        return fcntl(descriptor, setLock, &lock) == 0 ? 0 : errno
    }

    /// Whether another process has locked a byte.
    static func isLocked(_ descriptor: Int32, at position: off_t) -> Bool {
        var lock = region(position, F_WRLCK)
        return fcntl(descriptor, getLock, &lock) == 0 && lock.l_type != Int16(F_UNLCK)
    }
}
