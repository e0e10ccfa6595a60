/// The version of these programs and of the library.
public enum Version {
    /// As `--version` prints it.
    public static let current = "0.1.0"
}
