public import Arguments

/// An option of a job, said once: how it is written, and who may set it.
///
/// `JobOptions.set` says what its values mean.
public struct JobOption: Sendable {
    /// Whether a script may set it in `dlp.options`.
    public enum ScriptRight: Sendable {
        case always
        /// Not under `--sandbox`: it names a file.
        case whereTrusted
        /// Never: ranks connect before they read the script.
        case never
    }

    /// Its name, without dashes.
    public var name: String
    /// Its place on the command line.
    public var option: Option
    /// Whether it is a switch there.
    public var isSwitch: Bool { option.value == nil }
    /// Whether a script may set it by a boolean, too.
    var isYesOrNo: Bool { isSwitch || option.value == "yes|no" }
    /// Whether a script may set it.
    public var script: ScriptRight

    fileprivate init(
        _ name: String, _ value: String?, _ completion: Option.Completion = .none, script: ScriptRight = .always,
        defaultValue: String? = nil
    ) {
        self.name = name
        self.script = script
        option = Option("--\(name)", value: value, completion: completion, defaultValue: defaultValue)
    }

    /// Every one.
    public static let all: [JobOption] = [
        JobOption("mode", "MODE", .words(["map", "managed", "round-robin"])),
        JobOption("backend", "WHAT", .words(["ame", "mpi", "none"]), script: .never),
        JobOption("chunk", "N"),
        JobOption("root-works", "yes|no", .words(["yes", "no"])),
        JobOption("examples", "WHO", .words(["replicate", "root"])),
        JobOption("seed", "N|random", .words(["random"])),
        JobOption("on-error", "WHAT", .words(["stop", "continue"])),
        JobOption("retries", "N"),
        JobOption("crash-limit", "N"),
        JobOption("connect-timeout", "SECONDS", script: .never),
        JobOption("rejoin", "SECONDS"),
        JobOption("joinable", "[HOST:]PORT", script: .never),
        JobOption("progress", "WHEN", .words(["auto", "on", "off"])),
        JobOption("input", "FILE", .files([]), script: .whereTrusted),
        JobOption("format", "WHAT", .words(["lines", "nul", "csv", "tsv", "jsonl"])),
        JobOption("output", "FILE", .files(["jsonl", "json", "csv"]), script: .whereTrusted),
        JobOption("timeline", "FILE", .files(["svg", "json"]), script: .whereTrusted),
        JobOption("timeout", "SECONDS"),
        JobOption("memory", "SIZE"),
        JobOption("stop-after", "SECONDS"),
        JobOption("gpus", "auto|N|LIST", .words(["auto"]), script: .never),
        JobOption("encrypt", "yes|no", .words(["yes", "no"]), defaultValue: "yes"),
        JobOption("journal", "FILE", .files([]), script: .whereTrusted),
        JobOption("keep", nil, script: .whereTrusted),
        JobOption("fresh", nil, script: .whereTrusted),
    ]
}
