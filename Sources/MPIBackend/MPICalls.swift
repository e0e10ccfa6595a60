import CMPI
import DLP
import Glibc

/// The calls of an MPI library, with each failure as an error.
///
/// Unchecked because of the pointer: what it points to is constant, and in a library that is never closed.
/// `MPICommunicator`, which is not `Sendable`, makes sure that no two calls of a job come at a time.
struct MPICalls: @unchecked Sendable {
    private let table: UnsafePointer<dlp_mpi_table>

    init(table: UnsafePointer<dlp_mpi_table>) { self.table = table }

    var family: MPIFamily {
        switch dlp_mpi_family(table.pointee.family) {
        case dlp_mpi_openmpi: .openMPI
        case dlp_mpi_mpich: .mpich
        default: .other
        }
    }

    func libraryVersion() throws(CommunicationError) -> String {
        var code: Int32 = 0
        let version = text(capacity: 8192) { code = table.pointee.library_version($0, $1) }
        try check(code)
        return version
    }

    func start() throws(CommunicationError) -> (rank: Int, size: Int) {
        var rank: Int32 = 0
        var size: Int32 = 0
        try check(table.pointee.start(&rank, &size))
        return (Int(rank), Int(size))
    }

    /// Whether other threads than the one that has called `start` may call as well, one at a time.
    var takesTurns: Bool { table.pointee.takes_turns() != 0 }

    /// Whether `condition` holds on any rank; every rank must ask.
    func isAnywhere(_ condition: Bool) throws(CommunicationError) -> Bool {
        var greatest: Int32 = 0
        try check(table.pointee.maximum(condition ? 1 : 0, &greatest))
        return greatest != 0
    }

    /// Gives all ranks what the root has; every rank must call it, and it waits for the root.
    func share<Fact: BitwiseCopyable>(_ fact: inout Fact) throws(CommunicationError) {
        try withUnsafeMutableBytes(of: &fact) { (bytes) throws(CommunicationError) in
            var request = try broadcast(UnsafeRawBufferPointer(bytes))
            while try !isDone(&request) { sched_yield() }
        }
    }

    /// Begins to send; the memory must stay until the request is done.
    func send(
        _ bytes: UnsafeRawBufferPointer, to destination: Int, tag: Int32
    ) throws(CommunicationError) -> dlp_mpi_request {
        try request { table.pointee.send(bytes.baseAddress, Int32(bytes.count), Int32(destination), tag, $0) }
    }

    /// The next message with this tag that has come, if any; it must be received.
    func probe(tag: Int32) throws(CommunicationError) -> dlp_mpi_message? {
        var found: Int32 = 0
        var message = dlp_mpi_message()
        try check(table.pointee.probe(tag, &found, &message))
        return found != 0 ? message : nil
    }

    /// Begins to receive a message that was found; the memory must stay until the request is done.
    func receive(
        _ message: dlp_mpi_message, into space: UnsafeMutableRawPointer
    ) throws(CommunicationError) -> dlp_mpi_request {
        var message = message
        return try request { table.pointee.receive_found(&message, space, $0) }
    }

    /// Begins to receive what fills `space`, which must stay until the request is done.
    func receive(
        into space: UnsafeMutableRawBufferPointer, from source: Int, tag: Int32
    ) throws(CommunicationError) -> dlp_mpi_request {
        try request { table.pointee.receive(space.baseAddress, Int32(space.count), Int32(source), tag, $0) }
    }

    /// Begins a broadcast from rank 0, where `space` is only read; it must stay until the request is done.
    func broadcast(_ space: UnsafeRawBufferPointer) throws(CommunicationError) -> dlp_mpi_request {
        let memory = UnsafeMutableRawPointer(mutating: space.baseAddress)
        return try request { table.pointee.broadcast(memory, Int32(space.count), $0) }
    }

    func barrier() throws(CommunicationError) -> dlp_mpi_request { try request { table.pointee.barrier($0) } }

    /// Makes progress.
    ///
    /// Returns whether the request is done; then it is of no more use.
    func isDone(_ request: inout dlp_mpi_request) throws(CommunicationError) -> Bool {
        var done: Int32 = 0
        try check(table.pointee.test(&request, &done))
        return done != 0
    }

    func finish() throws(CommunicationError) { try check(table.pointee.finish()) }

    /// Ends the processes of all ranks; returns only where the library cannot.
    func abort(status: Int32) { table.pointee.abort(status) }

    private func request(
        _ begin: (UnsafeMutablePointer<dlp_mpi_request>) -> Int32
    ) throws(CommunicationError) -> dlp_mpi_request {
        var request = dlp_mpi_request()
        try check(begin(&request))
        return request
    }

    private func check(_ code: Int32) throws(CommunicationError) {
        guard code != 0 else { return }
        throw CommunicationError("MPI failed: \(text(capacity: 2048) { table.pointee.failure($0, $1) })")
    }
}

/// The text that a C function writes, ended by NUL, into memory of this capacity.
func text(capacity: Int, _ write: (UnsafeMutablePointer<CChar>, Int) -> Void) -> String {
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: capacity) { buffer in
        buffer.initialize(repeating: 0)
        guard let base = buffer.baseAddress else { return "" }
        write(base, capacity)
        return String(cString: base)
    }
}
