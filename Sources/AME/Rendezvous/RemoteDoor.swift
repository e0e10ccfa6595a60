package import DLP
import Glibc

/// The sockets where rank 0 takes ranks of other hosts, opened by the process that starts rank 0, before it does.
package final class RemoteDoor {
    /// Sockets that listen, for rank 0 to inherit.
    package private(set) var descriptors: [Int32]
    /// Their TCP port.
    package let port: UInt16
    /// The names and addresses by which other hosts may reach it, the likeliest first.
    package let addresses: [String]

    /// Listens on this host, where the user's variables say or everywhere.
    ///
    /// - Parameter value: looks a variable up.
    /// - Throws: `CommunicationError` where the system does not let it listen.
    package init(reading value: (String) -> String?) throws(CommunicationError) {
        let listening = try RemoteListening.open(RootAddress(reading: value), port: 0)
        port = listening.port
        // If the user came here by ssh, other hosts can reach this one by the same address.
        let words = value("SSH_CONNECTION")?.split(separator: " ") ?? []
        let proven = words.count == 4 ? String(words[2]) : ""
        let all = listening.addresses
        addresses = all.filter { $0 == proven } + all.filter { $0 != proven }
        descriptors = listening.listeners.map { $0.release() }
    }

    deinit { close() }

    /// Closes the sockets here, once rank 0 has them.
    package func close() {
        for descriptor in descriptors { Glibc.close(descriptor) }
        descriptors = []
    }
}
