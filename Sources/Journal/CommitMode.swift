import CSystem
import DLP

/// How SQLite makes transactions atomic.
enum CommitMode {
    /// New pages go into a second file first. Readers and the writer never wait for each other. All of them must run on one
    /// machine.
    case writeAhead
    /// Old pages are saved in a second file first. This works wherever locks do, so also on the shared directories of
    /// clusters; but readers and the writer make each other wait for short times.
    case rollback

    /// File systems that only one machine uses, by the number that statfs(2) returns: ext4, XFS, Btrfs, tmpfs, overlayfs,
    /// ZFS, F2FS.
    private static let local: Set<UInt32> = [
        0xEF53, 0x5846_5342, 0x9123_683E, 0x0102_1994, 0x794C_7630, 0x2FC1_2FC1, 0xF2F5_2010,
    ]

    /// The mode that suits the file system of the file at `path`.
    init(path: SystemString) {
        self = Self.local.contains(dlp_file_system(path.cString)) ? .writeAhead : .rollback
    }

    /// The settings for SQLite.
    ///
    /// If the process is killed, nothing committed is lost in either mode, because the system has it. If the machine itself
    /// fails, `synchronous = NORMAL` may lose the latest commits of a write-ahead log, but never damages the file; a rollback
    /// journal needs `FULL` for the same. Both modes flush on the journal's own thread.
    var pragmas: String {
        switch self {
        case .writeAhead:
            // The log is flushed whenever its contents go into the file itself: at 16,384 pages instead of the usual 1,000.
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = 16384"
        case .rollback: "PRAGMA journal_mode = DELETE; PRAGMA synchronous = FULL"
        }
    }
}
