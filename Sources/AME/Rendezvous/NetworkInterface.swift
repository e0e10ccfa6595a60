import Glibc

/// An address of this host, and the network interface that has it.
struct NetworkInterface: Equatable {
    let name: String
    let address: IPAddress
    /// How many bits of the address name the network.
    let prefixLength: Int
    /// Whether it only leads back to this host.
    let isLoopback: Bool

    init(name: String, address: IPAddress, prefixLength: Int, isLoopback: Bool) {
        self.name = name
        self.address = address
        self.prefixLength = prefixLength
        self.isLoopback = isLoopback
    }

    /// The addresses of every interface that is up, in the system's order.
    static func all() -> [NetworkInterface] {
        var list: UnsafeMutablePointer<ifaddrs>?
        guard getifaddrs(&list) == 0 else { return [] }
        defer { freeifaddrs(list) }
        var interfaces: [NetworkInterface] = []
        var next = list
        while let entry = next?.pointee {
            if let interface = NetworkInterface(entry) { interfaces.append(interface) }
            next = entry.ifa_next
        }
        return interfaces
    }

    /// An entry of the system's list; nil where it is down, or has no address of IPv4 or IPv6.
    private init?(_ entry: ifaddrs) {
        guard Int(entry.ifa_flags) & IFF_UP != 0, let address = Self.ipAddress(entry.ifa_addr),
            let mask = Self.ipAddress(entry.ifa_netmask)
        else { return nil }
        self.init(
            name: String(cString: entry.ifa_name), address: address,
            prefixLength: mask.bytes.reduce(0) { $0 + $1.nonzeroBitCount },
            isLoopback: Int(entry.ifa_flags) & IFF_LOOPBACK != 0 || address.isLoopback)
    }

    private static func ipAddress(_ address: UnsafePointer<sockaddr>?) -> IPAddress? {
        guard let address else { return nil }
        let length: Int
        switch Int32(address.pointee.sa_family) {
        case AF_INET: length = MemoryLayout<sockaddr_in>.size
        case AF_INET6: length = MemoryLayout<sockaddr_in6>.size
        default: return nil
        }
        return IPAddress(UnsafeRawBufferPointer(start: address, count: length))
    }

    /// Whether containers or virtual machines of this host are behind it: then other hosts do not reach its address,
    /// and often have the same one themselves.
    var isInternal: Bool {
        let prefixes = [
            "docker", "br-", "virbr", "veth", "lxcbr", "lxdbr", "incusbr", "cni", "podman", "flannel", "cali",
        ]
        return prefixes.contains { name.hasPrefix($0) }
    }
}
