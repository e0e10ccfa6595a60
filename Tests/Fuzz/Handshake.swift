import Glibc

@testable import AME

/// The first byte determines which side is played, in which pieces the peer's bytes arrive, and whether we encrypt.
///
/// The other bytes come from a peer that does not have the key.
@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
    guard let start, count > 0, let key = JobKey(base64: String(repeating: "A", count: 86) + "==") else { return 0 }
    let piece = Int(start[0] & 0x3F) + 1
    let isEncrypted = start[0] & 0x40 != 0
    var rest = UnsafeBufferPointer(start: start + 1, count: count - 1)[...]
    func next(_ wanted: Int) -> [UInt8] {
        let bytes = Array(rest.prefix(min(piece, wanted)))
        rest = rest.dropFirst(bytes.count)
        return bytes
    }
    if start[0] & 0x80 != 0 {
        var root = RootHandshake(key: key, greeting: Greeting(role: .root, rank: 0, size: 4, isEncrypted: isEncrypted))
        var answered = 0
        while root.wanted > 0, !rest.isEmpty { answered += root.receive(next(root.wanted)) { $0 == 1 }.count }
        // A stranger learns only the greeting, and that it does not have the key.
        precondition(answered <= Greeting.length + Verdict.length + HandshakeCodes.length)
        if case .accepted = root.outcome { preconditionFailure("a stranger was let in") }
        precondition(root.channel == nil)
    } else {
        let greeting = Greeting(role: .worker, rank: 1, size: 4, isEncrypted: isEncrypted)
        var worker = WorkerHandshake(key: key, greeting: greeting)
        var proofs = 0
        while worker.wanted > 0, !rest.isEmpty { proofs += worker.receive(next(worker.wanted)).isEmpty ? 0 : 1 }
        precondition(proofs <= 1)
        precondition(worker.outcome != .accepted && worker.channel == nil, "a stranger was taken for the root")
        if case .failed(let error) = worker.outcome {
            precondition(!error.description(rank: 1, size: 4, endpoint: .local(name: "x")).isEmpty)
        }
    }
    return 0
}
