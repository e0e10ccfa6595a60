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

    /// The socket that a variable names, from now on closed in programs that this process starts; nil where it is not set.
    func socket(_ name: String) throws(CommunicationError) -> Int32? {
        guard value(name) != nil else { return nil }
        let number = try integer(name, in: 0...Int(Int32.max))
        let descriptor = Int32(number)
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFSOCK else {
            throw CommunicationError(
                "\(name) names descriptor \(descriptor), which is not a socket: a program between the launcher and this "
                    + "one closed it; start this one directly, or have that program keep its descriptors open")
        }
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        return descriptor
    }
}
