import DLP

/// The sockets on which rank 0 listens before anybody knows of it, and the card that says where they are.
struct RootListening {
    let card: Card
    let listeners: [Listener]

    /// Listens for ranks of this host and, unless all ranks are here, for those of others.
    ///
    /// The ports are the system's choice, and stay open from now on, so that nobody else gets them.
    ///
    /// - Throws: `CommunicationError` where that cannot be.
    static func open(_ address: RootAddress, isOneHost: Bool) throws(CommunicationError) -> RootListening {
        let socketName =
            "dlp-" + String(UInt64.random(in: .min ... .max), radix: 36)
            + String(UInt64.random(in: .min ... .max), radix: 36)
        let local = try Listener.listen(at: .local(name: socketName))
        let remote: (listeners: [Listener], addresses: [String])
        switch address {
        case .any where isOneHost: remote = ([], [])
        case .any: remote = try everywhere()
        case .host(let host): remote = ([try Listener.listen(at: .tcp(host: host, port: 0))], [host])
        case .interface(let name): remote = try on(interface: name)
        }
        let card = Card(
            key: JobKey(), host: HostIdentity.current, socketName: socketName,
            port: remote.listeners.first?.port ?? 0, addresses: remote.addresses)
        guard card.port == 0 || !card.addresses.isEmpty, Card(text: card.text) != nil else {
            throw CommunicationError(
                "'\(remote.addresses.first ?? "")' cannot be the address of rank 0: set \(AMEVariable.reachableHost) to "
                    + "a name or address of its host")
        }
        return RootListening(card: card, listeners: [local] + remote.listeners)
    }

    private static func everywhere() throws(CommunicationError) -> ([Listener], [String]) {
        let addresses = Reach.published(NetworkInterface.all()).map(\.description)
        return ([try Listener.listenEverywhere()], addresses.isEmpty ? ["127.0.0.1"] : addresses)
    }

    /// Listens on every address of an interface, at the same port.
    private static func on(interface name: String) throws(CommunicationError) -> ([Listener], [String]) {
        let interfaces = NetworkInterface.all()
        let addresses = interfaces.filter { $0.name == name && !$0.address.isLinkLocal }.map(\.address.description)
        guard let first = addresses.first else {
            var names: [String] = []
            for interface in interfaces where !names.contains(interface.name) { names.append(interface.name) }
            throw CommunicationError(
                "rank 0's host has no network interface '\(name)' with an address: set \(AMEVariable.reachableInterface) "
                    + "to one of \(names.joined(separator: ", "))")
        }
        var listeners = [try Listener.listen(at: .tcp(host: first, port: 0))]
        var published = [first]
        for address in addresses.dropFirst() {
            // The port may be taken there; then the other addresses must do.
            guard let listener = try? Listener.listen(at: .tcp(host: address, port: listeners[0].port)) else {
                continue
            }
            listeners.append(listener)
            published.append(address)
        }
        return (listeners, published)
    }
}
