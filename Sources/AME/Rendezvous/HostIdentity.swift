import DLP
import Glibc

/// What distinguishes this host, as the network sees it, from every other.
package enum HostIdentity {
    /// The identifiers of the kernel's boot and of the network namespace, in letters, digits, hyphens and a full stop.
    ///
    /// Where both are the same, abstract sockets reach from one process to the other. A host's name would not do:
    /// containers of one host have several names, and hosts of a cluster may share one.
    package static let current: String = {
        var status = stat()
        guard let boot = bootIdentifier(), stat("/proc/self/ns/net", &status) == 0 else {
            // It is never the same as another's, so that ranks use TCP.
            return "unknown-\(UInt64.random(in: .min ... .max))"
        }
        return "\(boot).\(status.st_ino)"
    }()

    private static func bootIdentifier() -> String? {
        let file = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var bytes = [UInt8](repeating: 0, count: 36)
        guard read(file, &bytes, bytes.count) == bytes.count else { return nil }
        return String(decoding: bytes, as: UTF8.self)
    }
}
