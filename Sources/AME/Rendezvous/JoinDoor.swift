public import DLP

/// Where a running job takes workers that come late: sockets that listen already, with a key of their own.
///
/// The sockets belong to the `AMERoot` that is made with it.
public struct JoinDoor: Sendable {
    /// The addresses by which it is reached, the likeliest first.
    public let endpoints: [AMEEnvironment.Endpoint]

    let listeners: [Int32]
    let key: JobKey

    /// Listens; with port 0 the system chooses one.
    ///
    /// - Throws: `CommunicationError` where the system does not let it listen.
    public static func open(at address: RootAddress, port: UInt16, key: JobKey) throws(CommunicationError) -> JoinDoor {
        let listening = try RemoteListening.open(address, port: port)
        let endpoints = listening.addresses.map { AMEEnvironment.Endpoint.tcp(host: $0, port: listening.port) }
        return JoinDoor(endpoints: endpoints, listeners: listening.listeners.map { $0.release() }, key: key)
    }
}
