/// Formats numbers for people.
package enum Figures {
    /// Formats `value`, at least 0, with three digits, and with a letter for a factor of a thousand or more: 0.05, 7.25,
    /// 14.3k, 2.00M.
    static func short(_ value: Double) -> String {
        guard value.isFinite, value > 0 else { return "0" }
        var scaled = value
        var unit = 0
        // A value that rounds to 1000 gets the next letter.
        while scaled >= 999.5, unit < units.count - 1 {
            scaled /= 1000
            unit += 1
        }
        let digits = scaled < 9.995 ? 2 : scaled < 99.95 ? 1 : 0
        return fixed(scaled, digits) + units[unit]
    }

    private static let units = ["", "k", "M", "G", "T"]

    /// Formats `value`, at least 0, with `digits` digits after the point.
    package static func fixed(_ value: Double, _ digits: Int) -> String {
        var factor = 1
        for _ in 0..<digits { factor *= 10 }
        // Above this a double has no digits after the point, and an integer no room.
        let limit = 1e15
        let scaled = Int((max(0, min(value, limit)) * Double(factor)).rounded())
        guard digits > 0 else { return String(scaled) }
        let fraction = String(scaled % factor)
        return "\(scaled / factor).\(String(repeating: "0", count: digits - fraction.count))\(fraction)"
    }

    /// Formats a time as h:mm:ss.
    package static func clock(seconds: Double) -> String {
        let whole = Int(max(0, min(seconds, 1e12)))
        return "\(whole / 3600):\(padded(whole / 60 % 60)):\(padded(whole % 60))"
    }

    /// Formats a time as 3.2 s, or as h:mm:ss from an hour on.
    package static func time(seconds: Double) -> String {
        seconds < 3600 ? "\(fixed(seconds, seconds < 0.995 ? 3 : 1)) s" : clock(seconds: seconds)
    }

    /// Formats an amount of memory as 512 bytes or 7.25 MiB.
    package static func bytes(_ count: Int64) -> String {
        var scaled = Double(max(count, 0))
        guard scaled >= 1024 else { return "\(max(count, 0)) bytes" }
        var unit = -1
        // A value that rounds to 1024 gets the next unit.
        while scaled >= 1023.5, unit < memoryUnits.count - 1 {
            scaled /= 1024
            unit += 1
        }
        return "\(fixed(scaled, scaled < 9.995 ? 2 : scaled < 99.95 ? 1 : 0)) \(memoryUnits[max(unit, 0)])"
    }

    private static let memoryUnits = ["KiB", "MiB", "GiB", "TiB", "PiB"]

    /// Formats `count` with the noun that it counts.
    package static func count(_ count: Int, _ noun: String) -> String { "\(count) \(noun)\(count == 1 ? "" : "s")" }

    private static func padded(_ value: Int) -> String { value < 10 ? "0\(value)" : String(value) }
}
