/// A time as people write it: "60 s", "0.5 s".
func describe(nanoseconds: UInt64) -> String {
    let seconds = Double(nanoseconds) / 1e9
    return seconds == seconds.rounded() ? "\(Int(seconds)) s" : "\(seconds) s"
}
