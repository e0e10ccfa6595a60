import Glibc

/// The system's words for what the C functions return as a negative number.
func systemMessage(_ code: some BinaryInteger) -> String { String(cString: strerror(Int32(abs(Int(code))))) }

/// A time as people write it: "60 s", "0.5 s".
func describe(nanoseconds: UInt64) -> String {
    let seconds = Double(nanoseconds) / 1e9
    return seconds == seconds.rounded() ? "\(Int(seconds)) s" : "\(seconds) s"
}
