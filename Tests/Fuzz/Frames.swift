import DLP
import Glibc

@testable import AME

/// The first byte determines in which pieces the rest arrives, and whether the connection is encrypted.
@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
    guard let start, count > 0 else { return 0 }
    let isEncrypted = start[0] & 0x80 != 0
    let piece = 1 << Int(start[0] & 0x0F)
    // An attacker does not know the key; a fixed one makes findings reproducible.
    let key = JobKey(base64: String(repeating: "A", count: 86) + "==")
    let cipher = key.map { RecordCipher(key: $0.connectionSecret([])) }
    var parser = FrameParser(cipher: isEncrypted ? cipher : nil)
    let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: count - 1, alignment: 1)
    defer { bytes.deallocate() }
    bytes.copyMemory(from: UnsafeRawBufferPointer(start: start + 1, count: count - 1))
    seal(bytes)
    var rest = UnsafeRawBufferPointer(bytes)
    var delivered = 0
    do throws(FrameError) {
        while !rest.isEmpty {
            let taken: Int
            if parser.wantsDirectRead {
                let space = try parser.space()
                taken = min(space.count, rest.count, piece)
                space.copyMemory(from: UnsafeRawBufferPointer(rebasing: rest[..<taken]))
                if let message = parser.advance(by: taken) { delivered += message.body.count + FrameHeader.length }
            } else {
                taken = min(rest.count, piece)
                try parser.feed(UnsafeRawBufferPointer(rebasing: rest[..<taken])) {
                    delivered += $0.body.count + FrameHeader.length
                }
            }
            rest = UnsafeRawBufferPointer(rebasing: rest[taken...])
        }
    } catch {
        precondition(!error.description.isEmpty)
    }
    precondition(delivered < count, "more came out than went in")
    precondition(!isEncrypted || delivered == 0, "something was forged")
    return 0
}

/// Sets the check of the headers among `bytes`, which begin with the magic "DLPF", because no random change would
/// match it.
private func seal(_ bytes: UnsafeMutableRawBufferPointer) {
    guard bytes.count >= FrameHeader.length else { return }
    for place in 0...(bytes.count - FrameHeader.length) where bytes[place...].starts(with: Array("DLPF".utf8)) {
        let header = UnsafeRawBufferPointer(rebasing: bytes[place..<(place + FrameHeader.length)])
        bytes.storeBytes(of: FrameHeader.opening(of: header).littleEndian, toByteOffset: place, as: UInt32.self)
    }
}
