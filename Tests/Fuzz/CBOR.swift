import DLP
import Glibc

/// Checks for any bytes: every way of reading them ends, gives a reason where it refuses them, and agrees with the
/// others.
@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
    let input = UnsafeRawBufferPointer(start: start, count: count)
    let value = try? Value(decoding: Bytes(copying: input))
    if let value {
        // What was read can be written, and reads the same again.
        guard let encoded = try? value.encoded() else { preconditionFailure("a value cannot be written") }
        guard let again = try? Value(decoding: encoded) else { preconditionFailure("our own bytes cannot be read") }
        precondition(again == value, "a value changed on its way")
    }
    let digest = try? Digest(of: input)
    if let digest, let again = try? Digest(of: input) { precondition(digest == again) }
    let budget = 4096 + 64 * count
    var renderer = JSONRenderer(allowance: budget)
    var writer = ByteWriter()
    if (try? renderer.render(input, into: &writer)) == nil {
        precondition(writer.count == 0, "part of a value was rendered")
    }
    var walker = CBORWalker(CBORReader(input))
    var steps = 0
    while (try? walker.next()) != nil {
        steps += 1
        precondition(steps <= 2 * count + 2, "walking does not end")
    }
    var skipper = CBORReader(input)
    let isSkipped = (try? skipper.skip()) != nil
    precondition(value == nil || isSkipped, "a value cannot be skipped")
    return 0
}
