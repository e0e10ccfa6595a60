/// The axis of a timeline: the position of each time, and the places of round numbers.
struct TimeScale {
    struct Tick: Equatable {
        var pixel: Double
        var label: String
    }

    /// The unit of the ticks.
    let unit: String

    private let nanoseconds: Double
    private let pixels: Double
    /// Nanoseconds of a unit, and units between two ticks.
    private let unitLength: Double
    private let step: Double

    /// The least distance of two ticks, in pixels.
    private static let leastDistance = 60.0
    private static let units = [("hours", 3600e9), ("minutes", 60e9), ("seconds", 1e9), ("milliseconds", 1e6)]

    /// An axis of `pixels` for `nanoseconds`.
    init(nanoseconds: UInt64, pixels: Double) {
        let whole = Double(max(nanoseconds, 1))
        self.nanoseconds = whole
        self.pixels = pixels
        // The largest unit of which there are at least three.
        let unit = Self.units.first { whole >= 3 * $0.1 } ?? ("microseconds", 1e3)
        (self.unit, unitLength) = unit
        let least = whole / unit.1 * Self.leastDistance / pixels
        var step = 1.0
        while step < least { step *= 10 }
        while step / 10 >= least { step /= 10 }
        // 1, 2 or 5 times a power of ten.
        for factor in [0.2, 0.5] where step * factor >= least {
            step *= factor
            break
        }
        self.step = step
    }

    /// The position of a time, in pixels.
    func pixel(_ time: UInt64) -> Double { min(Double(time) / nanoseconds, 1) * pixels }

    var ticks: [Tick] {
        let count = Int((nanoseconds / unitLength / step).rounded(.down))
        return (0...count).map { number in
            let value = Double(number) * step
            let label = step < 1 ? Figures.fixed(value, step < 0.1 ? 2 : 1) : Figures.fixed(value, 0)
            return Tick(pixel: value * unitLength / nanoseconds * pixels, label: label)
        }
    }
}
