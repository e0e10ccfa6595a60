/// The version of these programs and of the library.
public enum Version {
    /// The version as `--version` prints it.
    public static let current = "0.1.0"
}
