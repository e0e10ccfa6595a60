/// The address by which other hosts reach rank 0.
public enum RootAddress: Sendable, Equatable {
    /// By any address of this host that others can reach.
    case any
    /// By this name or address, and no other.
    case host(String)
    /// By the addresses of this network interface, and no others.
    case interface(String)

    /// What `DLP_HOST` says, else `DLP_INTERFACE`; `any` where neither is set.
    ///
    /// - Parameter value: looks a variable up, by default in the environment of this process.
    public init(reading value: (String) -> String? = AMEEnvironment.environmentVariable) {
        if let host = value(AMEVariable.reachableHost), !host.isEmpty {
            self = .host(AMEEnvironment.withoutBrackets(host))
        } else if let name = value(AMEVariable.reachableInterface), !name.isEmpty {
            self = .interface(name)
        } else {
            self = .any
        }
    }
}
