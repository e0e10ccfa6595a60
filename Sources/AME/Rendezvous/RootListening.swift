import DLP

/// The sockets on which rank 0 listens before any other rank knows of it, and the contact that says where they are.
struct RootListening {
    let contact: RootContact
    let listeners: [Listener]
    /// How many addresses the contact had no room for.
    let unnamed: Int

    /// Listens for ranks of this host and, unless all ranks are here, for those of others.
    ///
    /// The system chooses the ports. They stay open from now on, so that no other process gets them.
    ///
    /// - Throws: `CommunicationError` where the system does not let it listen.
    static func open(_ address: RootAddress, isOneHost: Bool) throws(CommunicationError) -> RootListening {
        let socketName =
            "dlp-" + String(UInt64.random(in: .min ... .max), radix: 36)
            + String(UInt64.random(in: .min ... .max), radix: 36)
        let local = try Listener.listen(at: .local(name: socketName))
        let remote =
            address == .any && isOneHost
            ? RemoteListening(listeners: [], addresses: []) : try RemoteListening.open(address, port: 0)
        let contact = RootContact(
            key: JobKey(), host: HostIdentity.current, socketName: socketName,
            port: remote.port, addresses: remote.addresses)
        guard contact.port == 0 || !contact.addresses.isEmpty, RootContact(text: contact.text) != nil else {
            throw CommunicationError(
                "'\(remote.addresses.first ?? "")' cannot be the address of rank 0: set \(AMEVariable.reachableHost) to "
                    + "a name or address of its host")
        }
        return RootListening(
            contact: contact, listeners: [local] + remote.listeners,
            unnamed: remote.addresses.count - contact.addresses.count)
    }
}
