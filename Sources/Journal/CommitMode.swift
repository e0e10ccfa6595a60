import CSystem
import DLP

/// How SQLite makes transactions atomic.
enum CommitMode {
    /// New pages go into a second file first: readers and the writer never wait for each other. All of them must run on
    /// one machine.
    case writeAhead
    /// Old pages are saved in a second file first: works wherever locks do, so on the shared directories of clusters
    /// too, but readers and the writer keep each other waiting for moments.
    case rollback

    /// File systems, by the number that statfs(2) gives, that only one machine uses: ext4, XFS, Btrfs, tmpfs, overlayfs,
    /// ZFS, F2FS.
    private static let local: Set<UInt32> = [
        0xEF53, 0x5846_5342, 0x9123_683E, 0x0102_1994, 0x794C_7630, 0x2FC1_2FC1, 0xF2F5_2010,
    ]

    /// What suits the file system of the file at `path`.
    init(path: SystemString) {
        self = Self.local.contains(dlp_file_system(path.cString)) ? .writeAhead : .rollback
    }

    /// What SQLite is told.
    ///
    /// A killed process loses nothing that was committed in either mode, since the system has it. Should the machine
    /// itself fail, `synchronous = NORMAL` may cost the latest commits of a write-ahead log but never harms the file; a
    /// rollback journal needs `FULL` for as much. Both are flushed on the journal's own thread.
    var pragmas: String {
        switch self {
        case .writeAhead:
            // What is in the log is flushed whenever it goes into the file itself: at 16,384 pages, and not at 1,000.
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = 16384"
        case .rollback: "PRAGMA journal_mode = DELETE; PRAGMA synchronous = FULL"
        }
    }
}
