import Glibc

/// The number of a host: 4 bytes for IPv4, 16 for IPv6.
struct IPAddress: Equatable, CustomStringConvertible {
    let bytes: [UInt8]

    /// The address with these 4 or 16 bytes; nil with any other number of them.
    init?(bytes: some Sequence<UInt8>) {
        self.bytes = Array(bytes)
        guard self.bytes.count == 4 || self.bytes.count == 16 else { return nil }
    }

    /// The address that `text` spells, as in 10.1.2.3 or fd00::1; nil where it spells none.
    init?(_ text: String) {
        var bytes = [UInt8](repeating: 0, count: 16)
        if inet_pton(AF_INET, text, &bytes) == 1 {
            self.bytes = Array(bytes.prefix(4))
        } else if inet_pton(AF_INET6, text, &bytes) == 1 {
            self.bytes = bytes
        } else {
            return nil
        }
    }

    /// The address inside a `sockaddr`; nil in one of another family.
    init?(_ address: UnsafeRawBufferPointer) {
        guard address.count >= MemoryLayout<sockaddr_in>.size else { return nil }
        // Behind family and port in IPv4, behind the flow label too in IPv6.
        switch Int32(address.loadUnaligned(as: sa_family_t.self)) {
        case AF_INET: self.init(bytes: address[4..<8])
        case AF_INET6 where address.count >= 24: self.init(bytes: address[8..<24])
        default: return nil
        }
    }

    var isIPv4: Bool { bytes.count == 4 }

    /// Whether only this host reaches it.
    var isLoopback: Bool {
        isIPv4 ? bytes[0] == 127 : bytes == [UInt8](repeating: 0, count: 15) + [1]
    }

    /// The address of IPv4 that one of IPv6 stands for (RFC 4291, section 2.5.5.2), or else the address itself.
    var withoutMapping: IPAddress {
        let prefix = [UInt8](repeating: 0, count: 10) + [0xFF, 0xFF]
        guard !isIPv4, bytes.starts(with: prefix) else { return self }
        return IPAddress(bytes: bytes.dropFirst(prefix.count)) ?? self
    }

    /// Whether it has a meaning on one link only (RFC 3927, RFC 4291).
    var isLinkLocal: Bool {
        isIPv4 ? bytes[0] == 169 && bytes[1] == 254 : bytes[0] == 0xFE && bytes[1] & 0xC0 == 0x80
    }

    /// Whether it and `other` begin with the same `length` bits.
    func sharesPrefix(ofLength length: Int, with other: IPAddress) -> Bool {
        guard bytes.count == other.bytes.count else { return false }
        let (whole, rest) = length.quotientAndRemainder(dividingBy: 8)
        guard bytes.prefix(whole) == other.bytes.prefix(whole) else { return false }
        return rest == 0 || whole >= bytes.count || (bytes[whole] ^ other.bytes[whole]) >> (8 - rest) == 0
    }

    var description: String {
        var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        inet_ntop(isIPv4 ? AF_INET : AF_INET6, bytes, &text, socklen_t(text.count))
        return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
