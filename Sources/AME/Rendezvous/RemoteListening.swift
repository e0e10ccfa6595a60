import DLP

/// The sockets on which rank 0 takes ranks of other hosts, and the addresses by which those find it.
struct RemoteListening {
    let listeners: [Listener]
    /// Names and addresses of rank 0's host, the likeliest first.
    let addresses: [String]

    /// The port for TCP connections; 0: there is none.
    var port: UInt16 { listeners.first?.port ?? 0 }

    /// Listens; with port 0 the system chooses one.
    ///
    /// - Throws: `CommunicationError` where the system does not let it listen.
    static func open(_ address: RootAddress, port: UInt16) throws(CommunicationError) -> RemoteListening {
        switch address {
        case .any: try everywhere(port: port)
        case .host(let host):
            RemoteListening(listeners: [try Listener.listen(at: .tcp(host: host, port: port))], addresses: [host])
        case .interface(let name): try on(interface: name, port: port)
        }
    }

    private static func everywhere(port: UInt16) throws(CommunicationError) -> RemoteListening {
        let addresses = Reach.published(NetworkInterface.all()).map(\.description)
        return RemoteListening(
            listeners: [try Listener.listenEverywhere(port: port)],
            addresses: addresses.isEmpty ? ["127.0.0.1"] : addresses)
    }

    /// Listens on every address of an interface, at the same port.
    private static func on(interface name: String, port: UInt16) throws(CommunicationError) -> RemoteListening {
        let interfaces = NetworkInterface.all()
        let addresses = interfaces.filter { $0.name == name && !$0.address.isLinkLocal }.map(\.address.description)
        guard let first = addresses.first else {
            var names: [String] = []
            for interface in interfaces where !names.contains(interface.name) { names.append(interface.name) }
            throw CommunicationError(
                "rank 0's host has no network interface '\(name)' with an address: set \(AMEVariable.reachableInterface) "
                    + "to one of \(names.joined(separator: ", "))")
        }
        var listeners = [try Listener.listen(at: .tcp(host: first, port: port))]
        var published = [first]
        for address in addresses.dropFirst() {
            // The port may be taken at this address; then the other addresses must do.
            guard let listener = try? Listener.listen(at: .tcp(host: address, port: listeners[0].port)) else {
                continue
            }
            listeners.append(listener)
            published.append(address)
        }
        return RemoteListening(listeners: listeners, addresses: published)
    }
}
