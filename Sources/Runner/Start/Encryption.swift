import AME

/// What `--encrypt` asks for, and where it cannot be had.
enum Encryption {
    /// What encrypts, for people.
    static let name = "AES-256-GCM"

    /// - Throws: `UsageError` where ranks would be connected by what cannot encrypt.
    static func check(_ choice: Detection.Choice) throws(UsageError) {
        if case .mpi = choice { throw overMPI }
    }

    /// - Throws: `UsageError` where a script asks for it after ranks have been connected without.
    static func check(_ connection: Connection) throws(UsageError) {
        switch connection.transport {
        case .none: return
        case .mpi: throw overMPI
        case .ame(let environment):
            guard environment.isEncrypted || environment.size == 1 else {
                throw UsageError(
                    "encrypt asks for what ranks settle before they read the script: start with --encrypt, too")
            }
        }
    }

    private static let overMPI = UsageError(
        "encrypt is for the sockets between ranks, and here MPI connects them by its own ways: say --backend ame, "
            + "or leave it out")
}
