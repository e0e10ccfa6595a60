import DLP
import Glibc

/// Reads a launcher's variables, and says which one is at fault.
struct VariableReader {
    /// Looks a variable up.
    let value: (String) -> String?

    func text(_ name: String) throws(CommunicationError) -> String {
        guard let text = value(name), !text.isEmpty else {
            throw CommunicationError(
                "\(AMEVariable.rank) is set but \(name) is not: start the ranks with ameexec, or set \(AMEVariable.host),"
                    + " \(AMEVariable.port), \(AMEVariable.rank), \(AMEVariable.size) and \(AMEVariable.key) for each")
        }
        return text
    }

    func integer(_ name: String, in range: ClosedRange<Int>) throws(CommunicationError) -> Int {
        let text = try text(name)
        guard let number = Int(text), range.contains(number) else {
            throw CommunicationError(
                "\(name) is '\(text)', which is not a number from \(range.lowerBound) to \(range.upperBound): "
                    + "correct it, or start the ranks with ameexec")
        }
        return number
    }

    /// The sockets that a variable names, from now on closed in programs that this process starts; none where it is not set.
    func sockets(_ name: String) throws(CommunicationError) -> [Int32] {
        guard let text = value(name) else { return [] }
        var sockets: [Int32] = []
        for word in text.split(separator: ",", omittingEmptySubsequences: false) {
            guard let descriptor = Int32(word), descriptor >= 0 else {
                throw CommunicationError(
                    "\(name) is '\(text)', which names no descriptors: start the ranks with ameexec")
            }
            var status = stat()
            guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFSOCK else {
                throw CommunicationError(
                    "\(name) names descriptor \(descriptor), which is not a socket: a program between the launcher and "
                        + "this one closed it; start this one directly, or have that program keep its descriptors open")
            }
            _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
            sockets.append(descriptor)
        }
        return sockets
    }

    /// A port, and the names and addresses of a host.
    func addresses(_ name: String) throws(CommunicationError) -> (port: UInt16, addresses: [String]) {
        let words = try text(name).split(separator: ",").map { String($0) }
        guard let port = words.first.flatMap({ UInt16($0) }), port > 0, words.count > 1 else {
            throw CommunicationError(
                "\(name) must be PORT,ADDRESS,... and is not: correct it, or start the ranks with ameexec")
        }
        return (port, words.dropFirst().map(Self.host))
    }

    private static func host(_ text: String) -> String { AMEEnvironment.withoutBrackets(text) }
}
