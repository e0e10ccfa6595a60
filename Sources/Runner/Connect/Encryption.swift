import AME

/// What `--encrypt` asks for, and where it is not possible.
enum Encryption {
    /// Returns what is encrypted for the option's value `choice`.
    static func wanted(_ choice: Choice?) -> AMEEnvironment.Encryption {
        switch choice {
        case .yes: .everywhere
        case .no: .off
        case nil: .betweenHosts
        }
    }

    /// Describes what is encrypted, and with what, for people.
    static func describe(_ encryption: AMEEnvironment.Encryption) -> String {
        switch encryption {
        case .everywhere: "AES-256-GCM"
        case .betweenHosts: "AES-256-GCM between hosts, none on one; --encrypt turns it on there too"
        case .off: "none"
        }
    }

    /// - Throws: `UsageError` where the backend cannot encrypt.
    static func check(_ choice: Detection.Choice) throws(UsageError) {
        if case .mpi = choice { throw overMPI }
    }

    /// - Throws: `UsageError` where a script asks for encryption after the ranks have been connected without it.
    static func check(_ connection: Connection) throws(UsageError) {
        guard let encryption = connection.transport.encryption else { throw overMPI }
        guard encryption == .everywhere else {
            throw UsageError(
                "encrypt asks for what ranks settle before they read the script: start with --encrypt, too")
        }
    }

    private static let overMPI = UsageError(
        "encrypt is for the sockets between ranks, and here MPI connects them by its own ways: say --backend ame, "
            + "or leave it out")
}
