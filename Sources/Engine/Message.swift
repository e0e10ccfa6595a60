public import Codec

/// What a transport carries from one rank to another: a kind, six numbers and a body.
///
/// `ToRoot` and `ToWorker` are sent in this form. The numbers are part of every message, so that no kind needs a format
/// of its own around its body and a transport can put them into its frame header.
public struct Message: Sendable, Equatable {
    /// What a message is about.
    ///
    /// The kind decides what the numbers mean; see `MessageCoding.swift`.
    public enum Kind: UInt8, Sendable, CaseIterable {
        case collective = 1

        // A rank to the root.
        case enter = 2
        case done = 3
        case leave = 4
        case length = 5
        case results = 6
        case failed = 7
        case delivered = 8
        case retire = 9
        case begin = 14
        case part = 16
        case givenUp = 17
        case resume = 18
        case traces = 19

        // The root to a rank.
        case assign = 10
        case end = 11
        case deliver = 12
        case halt = 13
        case list = 15

        // About the whole job.
        case fault = 20
        case exit = 21
        case goodbye = 22
        case stop = 23
        case welcome = 24
        case offer = 25
        case refusal = 26

        /// Whether messages of this kind may have a body.
        package var hasBody: Bool {
            switch self {
            case .collective, .enter, .begin, .resume, .done, .part, .results, .failed, .givenUp, .traces, .assign,
                .list, .fault, .offer, .refusal:
                true
            case .leave, .length, .delivered, .retire, .deliver, .halt, .end, .exit, .goodbye, .stop, .welcome: false
            }
        }
    }

    /// What it is about.
    public var kind: Kind
    /// The first number: of the loop or collective that this belongs to; every rank counts them alike.
    public var operation: UInt64
    /// The second number, usually a first example.
    public var first: Int64
    /// The third number, usually a number of examples.
    public var count: Int64
    /// The fourth number, usually a duration in nanoseconds.
    public var extra: Int64
    /// The fifth number, usually a processor time in nanoseconds.
    public var cpu: Int64
    /// The sixth number: the most memory, in bytes.
    public var peak: Int64
    /// Encoded values.
    public var body: Bytes

    /// A message; numbers not named are 0.
    public init(
        _ kind: Kind, operation: UInt64 = 0, first: Int = 0, count: Int = 0, extra: Int64 = 0, cpu: Int64 = 0,
        peak: Int64 = 0, body: Bytes = .empty
    ) {
        self.kind = kind
        self.operation = operation
        self.first = Int64(first)
        self.count = Int64(count)
        self.extra = extra
        self.cpu = cpu
        self.peak = peak
        self.body = body
    }
}
