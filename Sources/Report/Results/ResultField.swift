public import DLP

/// What may stand beside the result of an example where results are written.
public enum ResultField: String, Sendable, CaseIterable {
    case seconds
    case cpu
    case peak
    case rank
    case host
    case started
    case attempts

    /// The names of all of them, as a message lists them.
    ///
    /// The help of an option has them, so they are put together at each start. `joined` would take a fifth of that, since the
    /// runtime then searches all conformances of the program.
    public static var names: String {
        var names = ""
        for field in allCases { names += names.isEmpty ? field.rawValue : ", \(field.rawValue)" }
        return names
    }

    /// The fields that a text names, with commas between them; nil where it does not, or one of them twice.
    public static func list(_ text: String) -> [ResultField]? {
        let words = text.split(separator: ",", omittingEmptySubsequences: false)
        let fields = words.compactMap { ResultField(rawValue: String($0)) }
        return fields.count == words.count && Set(fields).count == fields.count ? fields : nil
    }
}

/// What is known of an example besides its result; nil where nobody knows it.
public struct ExampleFacts: Sendable, Equatable {
    /// How long it took.
    public var seconds: Double?
    /// The processor time that it took, in seconds.
    public var cpu: Double?
    /// The most memory that was held meanwhile, in bytes.
    public var peak: Int64?
    /// The rank that did it.
    public var rank: Int?
    /// That rank's host.
    public var host: String?
    /// When it was begun, as `time` writes it.
    public var started: String?
    /// How often it was tried.
    public var attempts: Int?

    /// Nothing known.
    public init() {}

    /// A time in seconds since 1970, in UTC, as a journal has it.
    public static func time(_ seconds: Double) -> String { PageText.iso(seconds) }

    /// Adds one of them as JSON.
    func append(_ field: ResultField, to json: inout ByteWriter) {
        func append(_ value: (some CustomStringConvertible)?) { json.append(utf8: value?.description ?? "null") }
        func append(text: String?) { if let text { json.appendJSON(text) } else { json.append(utf8: "null") } }
        switch field {
        case .seconds: append(seconds)
        case .cpu: append(cpu)
        case .peak: append(peak)
        case .rank: append(rank)
        case .host: append(text: host)
        case .started: append(text: started)
        case .attempts: append(attempts)
        }
    }

    /// Adds those that are wanted as a JSON array.
    func appendArray(_ fields: [ResultField], to json: inout ByteWriter) {
        for (place, field) in fields.enumerated() {
            json.append(utf8: place == 0 ? "[" : ",")
            append(field, to: &json)
        }
        json.append(utf8: "]")
    }

    /// Adds those that are wanted as members of a JSON object, each with a comma before it.
    public func appendMembers(_ fields: [ResultField], to json: inout ByteWriter) {
        for field in fields {
            json.append(utf8: ",\"\(field.rawValue)\":")
            append(field, to: &json)
        }
    }
}
