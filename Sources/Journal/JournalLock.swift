import DLP
import Glibc

/// Keeps other jobs off a journal for as long as it lives; it goes with the process, however that ends.
///
/// It locks one byte of the file, far behind those that SQLite locks, so that others can read meanwhile. SQLite's own
/// locks would be lost when any descriptor of the file is closed: the journal closes its connections first.
struct JournalLock: ~Copyable {
    private let descriptor: Int32

    /// `F_OFD_SETLK`, which the module Glibc lacks: the lock belongs to the open file, and no `close` elsewhere ends it.
    private static let setLock: Int32 = 37
    /// SQLite locks bytes from 2^30 on.
    private static let position: off_t = 1 << 40
    /// How long another job may take to let go, in tries and microseconds between them: one that is just ending, or a program
    /// that it is about to start, which has all its files open for a moment.
    private static let (tries, pause): (Int, UInt32) = (100, 20_000)

    /// Creates the file at `path` where it is not there, and locks it.
    ///
    /// - Throws: `JournalError` where it cannot be written, or another job has it.
    init(path: SystemString) throws(JournalError) {
        let descriptor = open(path.cString, O_RDWR | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0o666)
        guard descriptor >= 0 else { throw JournalError(path: path, errno: errno) }
        var lock = flock(
            l_type: Int16(F_WRLCK), l_whence: Int16(SEEK_SET), l_start: Self.position, l_len: 1, l_pid: 0)
        var code: Int32 = 0
        for _ in 0..<Self.tries {
            code = fcntl(descriptor, Self.setLock, &lock) == 0 ? 0 : errno
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

    deinit { close(descriptor) }
}
