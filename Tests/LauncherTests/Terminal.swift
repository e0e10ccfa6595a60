import Glibc
import Testing

/// A pseudoterminal of which the test is the user.
final class Terminal {
    private let descriptor: Int32
    /// The path of the side that programs use.
    let name: String
    /// What has been shown so far.
    private(set) var screen = ""

    init(columns: UInt16 = 80) throws {
        // Linux's own interface, because Swift does not see posix_openpt and related functions.
        descriptor = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK)
        var number: UInt32 = 0
        var lock: Int32 = 0
        try #require(
            ioctl(descriptor, getTerminalNumber, &number) == 0 && ioctl(descriptor, setTerminalLock, &lock) == 0)
        name = "/dev/pts/\(number)"
        var size = winsize(ws_row: 24, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0)
        try #require(ioctl(descriptor, UInt(TIOCSWINSZ), &size) == 0)
    }

    deinit { close(descriptor) }

    /// Types `text`.
    func type(_ text: String) { _ = write(descriptor, text, text.utf8.count) }

    /// Reads until `text` has been shown.
    func waitFor(_ text: String) throws { try eventually("the terminal shows \(text)") { update().contains(text) } }

    /// What has been shown by now.
    @discardableResult
    func update() -> String {
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = read(descriptor, &buffer, buffer.count)
            if count <= 0 { return screen }
            screen += String(decoding: buffer[..<count], as: UTF8.self)
        }
    }
}

/// The macros TIOCGPTN and TIOCSPTLCK of <asm/ioctls.h>.
private let getTerminalNumber: UInt = 0x8004_5430
private let setTerminalLock: UInt = 0x4004_5431
