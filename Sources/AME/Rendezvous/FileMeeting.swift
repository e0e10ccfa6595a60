import DLP
import Glibc

/// Meeting by a file, where the launcher offers nothing: Slurm's `--mpi=none`.
struct FileMeeting: MeetingPlace {
    private static let firstPause: UInt64 = 1_000_000
    private static let longestPause: UInt64 = 100_000_000
    /// How long the file of a rank 0 that failed stays, for the others to read it.
    private static let notice: UInt64 = 3_000_000_000
    /// How long a rank waits before it looks whether rank 0 can write a file at all.
    private static let grace: UInt64 = 2_000_000_000

    let rank: Int
    let size: Int
    let isOneHost: Bool
    private(set) var contactFile: RootContactFile?

    private var file: RootContactFile
    private let limit: TimeLimit

    /// - Throws: `CommunicationError` where rank and size are impossible.
    init(
        rank: Int, size: Int, isOneHost: Bool, file: RootContactFile, within limit: TimeLimit
    ) throws(CommunicationError) {
        try checkPlace(rank: rank, size: size)
        self.rank = rank
        self.size = size
        self.isOneHost = isOneHost
        self.file = file
        self.limit = limit
    }

    /// Why ranks cannot meet by a file; nil where they may.
    static func obstacle() -> String? {
        RootContactFile.directory() == nil
            ? "there is no directory for the file by which ranks find each other: set \(AMEVariable.meetingDirectory)"
            : nil
    }

    mutating func exchange(_ contact: RootContact?) throws(CommunicationError) -> RootContact {
        if let contact {
            do { try file.write(contact) } catch {
                withdraw()
                throw error
            }
            if contact.failure != nil { withdraw() }
            contactFile = file
            return contact
        }
        contactFile = file
        try file.makeDirectory(for: rank)
        var pause = Self.firstPause
        let grace = Deadline.after(Self.grace)
        while true {
            let isLast = limit.deadline.hasPassed
            do throws(RootContactFile.Unreadable) {
                let contact = try file.read()
                // A contact that cannot be reached, or that reports a failure, may be an earlier job's. A failure of
                // this job stays in the file for a while.
                let hasFailed = contact.failure != nil && grace.hasPassed
                if isLast || hasFailed || (contact.failure == nil && !contact.endpoints().isEmpty) { return contact }
            } catch {
                guard !isLast else { throw missing(error.reason) }
                if grace.hasPassed { try file.checkDirectory(for: rank) }
            }
            poll(nil, 0, Deadline.earlier(limit.deadline, .after(pause)).milliseconds)
            pause = min(pause * 2, Self.longestPause)
        }
    }

    /// Removes, after a while, the file that says why rank 0 failed, so that no later run of the same job finds it.
    private func withdraw() {
        guard file.isOurs else { return }
        let end = Deadline.after(Self.notice)
        while !end.hasPassed { poll(nil, 0, end.milliseconds) }
        file.remove()
    }

    private func missing(_ reason: String) -> CommunicationError {
        CommunicationError(
            "rank \(rank) waited \(limit) for rank 0's file \(file.path), but \(reason): see whether rank 0 runs and its host "
                + "has the same directory, set \(AMEVariable.meetingDirectory) to one that all hosts share, or start with "
                + "'srun --mpi=pmi2'")
    }
}
