import Glibc

/// This host's name.
public enum HostName {
    /// What `gethostname` says.
    public static let current: String = {
        var buffer = [CChar](repeating: 0, count: 256)
        gethostname(&buffer, buffer.count - 1)
        return buffer.withUnsafeBufferPointer { $0.baseAddress.map { String(cString: $0) } ?? "localhost" }
    }()
}
