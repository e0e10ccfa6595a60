import Glibc

/// What programs that a rank starts inherit of its launcher's signs.
///
/// Such a program is no rank: a second dlp-lua, started by a script, is a job of its own.
enum InheritedLaunch {
    /// The variable that names the launches that whoever started this process belongs to.
    private static let variable = "DLP_RANK_OF"
    /// What a launcher says about a descriptor or port that only this process has.
    private static let handles = ["PMI_FD", "PMI_PORT", "PMI_ID", "PMI_RANK", "PMI_SIZE"]
    /// What was said of this job's backend is not said of theirs.
    private static let wishes = ["DLP_BACKEND", "DLP_MPI_BACKEND"]

    /// Whether a launcher's signs were left for the process that started this one.
    static func includes(_ sighting: DetectedLauncher) -> Bool {
        guard let identity = sighting.identity, let known = getenv(variable) else { return false }
        return String(cString: known).split(separator: ";").contains { $0 == identity }
    }

    /// Marks the launchers that can be seen as this process's own, for those that it starts.
    ///
    /// The signs themselves stay where they can: scripts look at them, for the number of a job or the GPU to take.
    static func leave(_ seen: [DetectedLauncher], isLaunched: Bool) {
        let identities = seen.compactMap(\.identity)
        if !identities.isEmpty { setenv(variable, identities.joined(separator: ";"), 1) }
        for name in handles + (isLaunched ? wishes : []) { unsetenv(name) }
    }
}
