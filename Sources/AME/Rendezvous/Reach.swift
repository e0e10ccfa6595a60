/// Which addresses lead from one host to another, and in which order to try them.
enum Reach {
    /// The addresses by which other hosts may reach the one with these interfaces, the likeliest first.
    ///
    /// Loopback and link-local addresses are left out: they do not lead to this host from another one.
    static func published(_ interfaces: [NetworkInterface]) -> [IPAddress] {
        let others = interfaces.filter { !$0.isLoopback && !$0.address.isLinkLocal }
        let sorted = others.filter { !$0.isInternal } + others.filter(\.isInternal)
        var addresses: [IPAddress] = []
        for interface in sorted where !addresses.contains(interface.address) { addresses.append(interface.address) }
        return addresses
    }

    /// The order in which a host with these interfaces tries another host's names and addresses.
    ///
    /// Addresses in one of this host's networks come first. An address in one of the networks that each host has for
    /// itself, or that is one of this host's own, more likely leads to this host than to the other, and comes last.
    /// Loopback addresses are left out.
    static func order(_ addresses: [String], seenFrom interfaces: [NetworkInterface]) -> [String] {
        var near: [String] = []
        var far: [String] = []
        var doubtful: [String] = []
        for text in addresses where !InternetAddress.isLoopbackName(text) {
            guard let address = IPAddress(text) else {
                far.append(text)
                continue
            }
            if address.isLoopback { continue }
            let networks = interfaces.filter { $0.address.sharesPrefix(ofLength: $0.prefixLength, with: address) }
            if networks.contains(where: { $0.isInternal || $0.isLoopback || $0.address == address }) {
                doubtful.append(text)
            } else if networks.isEmpty {
                far.append(text)
            } else {
                near.append(text)
            }
        }
        return near + far + doubtful
    }
}
