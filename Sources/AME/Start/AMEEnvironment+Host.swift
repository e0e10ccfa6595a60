import CSystem
import Crypto
import Glibc

extension AMEEnvironment {
    /// Whether this is the first call of this function on this host, among the ranks of this job that still run.
    ///
    /// So one rank can speak for all ranks of its host when no root is left to agree with. The first rank holds a name
    /// that others cannot take until it ends.
    public func isFirstOnHost() -> Bool {
        let digest = SHA256.hash(data: Array("dlp-ame speaker\0\(key.base64)".utf8))
        let name = "dlp-" + Base64.encode(Array(digest.prefix(15)))
        // The descriptor stays open as long as the process lives. Where no descriptor is available it is better to say
        // something twice than not at all.
        return Array(name.utf8).withUnsafeBytes { dlp_local_listen($0.baseAddress, $0.count, 0) } != -EADDRINUSE
    }
}
