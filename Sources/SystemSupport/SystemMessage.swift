import Glibc

/// The system's words for what the C functions return as a negative number, and for `errno`.
package func systemMessage(_ code: some BinaryInteger) -> String { String(cString: strerror(Int32(abs(Int(code))))) }
