package import DLP
import Glibc

/// Where rank 0 takes ranks of other hosts, opened before rank 0 is started, by whoever starts it.
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
    /// - Throws: `CommunicationError` where that cannot be.
    package init(reading value: (String) -> String?) throws(CommunicationError) {
        let listening = try RemoteListening.open(RootAddress(reading: value), port: 0)
        port = listening.port
        // Where a user came here by ssh others come that way, too.
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
