public import DLP

/// The meaning of an option's value: what it sets in `Target`, and which values are valid.
///
/// A place in `Target` is given by a function that lends it, as `{ $1(&$0.retries) }`. A key path would cost a start more
/// time than the whole rest of the command line. Everything can be inlined, so that no types are made at run time.
public struct Setting<Target> {
    /// Lends a property of its first argument to its second.
    public typealias Place<Value> = (inout Target, (inout Value) -> Void) -> Void

    @usableFromInline let offers: () -> Option.Completion
    @usableFromInline let set: (inout Target, SystemString) throws(Misfit) -> Void
    @usableFromInline let text: (Target) -> SystemString?

    /// The error for an invalid value; it says what the value should be.
    @usableFromInline
    struct Misfit: Error {
        @usableFromInline var wanted: String

        @usableFromInline
        init(wanted: String) { self.wanted = wanted }
    }

    @inlinable
    init(
        offers: @escaping () -> Option.Completion,
        set: @escaping (inout Target, SystemString) throws(Misfit) -> Void, text: @escaping (Target) -> SystemString?
    ) {
        self.offers = offers
        self.set = set
        self.text = text
    }

    /// What a shell offers for the value.
    @inlinable public var completion: Option.Completion { offers() }

    /// Applies a value.
    ///
    /// - Parameter name: the option's name, as the user has written it.
    /// - Throws: `ArgumentError` where the value is not valid.
    @inlinable
    public func set(_ value: SystemString, in target: inout Target, as name: String) throws(ArgumentError) {
        do { try set(&target, value) } catch {
            throw ArgumentError("\(name) must be \(error.wanted), not '\(value)'")
        }
    }

    /// The present value, as written on a command line; nil where it is not set.
    @inlinable
    public func value(in target: Target) -> SystemString? { text(target) }

    /// Reads the value at a place.
    @inlinable
    static func read<Value>(_ place: Place<Value>, _ target: Target) -> Value? {
        var (target, value) = (target, Value?.none)
        place(&target) { value = $0 }
        return value
    }

    /// A string of any bytes, such as the name of a file.
    @inlinable
    public static func text(
        _ place: @escaping Place<SystemString?>, offers: @autoclosure @escaping () -> Option.Completion
    ) -> Setting {
        Setting(
            offers: offers, set: { (target, value) throws(Misfit) in place(&target) { $0 = value } },
            text: { read(place, $0) ?? nil })
    }

    /// A list of such strings; each use of the option adds one.
    @inlinable
    public static func list(
        _ place: @escaping Place<[SystemString]>, offers: @autoclosure @escaping () -> Option.Completion
    ) -> Setting { list(place, offers: offers(), text: { $0 }, parse: { $0 }) }

    /// A list of values that are parsed from such strings.
    @inlinable
    public static func list<Element>(
        _ place: @escaping Place<[Element]>, offers: @autoclosure @escaping () -> Option.Completion,
        text: @escaping (Element) -> SystemString, parse: @escaping (SystemString) -> Element
    ) -> Setting {
        Setting(
            offers: offers,
            set: { (target, value) throws(Misfit) in place(&target) { $0.append(parse(value)) } },
            text: { read(place, $0)?.last.map(text) })
    }

    /// A switch.
    @inlinable
    public static func flag(_ place: @escaping Place<Bool>) -> Setting {
        Setting(
            offers: { .none }, set: { (target, value) throws(Misfit) in place(&target) { $0 = value == "yes" } },
            text: { read(place, $0) == true ? "yes" : nil })
    }

    /// One of the raw values of `Value`.
    @inlinable
    public static func choice<Value: RawRepresentable<String> & CaseIterable>(
        _ place: @escaping Place<Value?>
    ) -> Setting {
        value(
            place, "one of \(Value.allCases.map(\.rawValue).joined(separator: ", "))",
            offers: .words(Value.allCases.map(\.rawValue)), text: { $0.rawValue }, parse: { Value(rawValue: $0) })
    }

    /// A whole number.
    @inlinable
    public static func number(_ place: @escaping Place<Int?>, _ range: ClosedRange<Int>) -> Setting {
        let end = { range.upperBound == .max ? "on" : "to \(range.upperBound)" }
        return value(place, "a whole number from \(range.lowerBound) \(end())", offers: .none) { text in
            Int(text).flatMap { range ~= $0 ? $0 : nil }
        }
    }

    /// An amount of time.
    @inlinable
    public static func seconds(_ place: @escaping Place<Double?>, atLeast least: Double) -> Setting {
        value(place, "a number of seconds, \(least) at least and less than 1e9", offers: .none) { text in
            Double(text).flatMap { $0 >= least && $0 < 1e9 ? $0 : nil }
        }
    }

    /// A value of any other type.
    ///
    /// - Parameters:
    ///   - wanted: what the value must be, as the end of a sentence.
    ///   - text: formats a value.
    ///   - parse: parses a text; returns nil if it is not valid. Bytes that are not UTF-8 are passed as escapes.
    @inlinable
    public static func value<Value>(
        _ place: @escaping Place<Value?>, _ wanted: @autoclosure @escaping () -> String,
        offers: @autoclosure @escaping () -> Option.Completion,
        text: @escaping (Value) -> String = { "\($0)" }, parse: @escaping (String) -> Value?
    ) -> Setting {
        Setting(
            offers: offers,
            set: { (target, value) throws(Misfit) in
                guard let parsed = parse(value.description) else { throw Misfit(wanted: wanted()) }
                place(&target) { $0 = parsed }
            }, text: { (read(place, $0) ?? nil).map { SystemString(text($0)) } })
    }
}
