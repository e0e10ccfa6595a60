import Glibc

/// What the programs that a rank starts inherit of its launcher's variables.
///
/// Such a program is not a rank. A second dlp-lua that a script starts is a separate job.
enum InheritedLaunch {
    /// The variable that names the launches to which this process's parent belongs.
    private static let variable = "DLP_RANK_OF"
    /// Variables that name a descriptor or port which only this process has.
    private static let handles = ["PMI_FD", "PMI_PORT", "PMI_ID", "PMI_RANK", "PMI_SIZE"]
    /// Variables that choose this job's backend.
    ///
    /// They must not apply to jobs that this job starts.
    private static let wishes = ["DLP_BACKEND", "DLP_MPI_BACKEND"]

    /// Whether a launcher's variables belong to the process that started this one.
    static func includes(_ sighting: DetectedLauncher) -> Bool {
        guard let identity = sighting.identity, let known = getenv(variable) else { return false }
        return String(cString: known).split(separator: ";").contains { $0 == identity }
    }

    /// Marks the detected launchers as those of this process, so that the programs that it starts know that they are
    /// not ranks.
    ///
    /// The launcher's own variables stay where possible: scripts use them, for a job's number or to choose a GPU.
    static func leave(_ seen: [DetectedLauncher], isLaunched: Bool) {
        let identities = seen.compactMap(\.identity)
        if !identities.isEmpty { setenv(variable, identities.joined(separator: ";"), 1) }
        for name in handles + (isLaunched ? wishes : []) { unsetenv(name) }
    }
}
