/// What help and manual say of a program besides its options.
public struct Manual: Sendable {
    /// A part of the manual.
    public struct Section: Sendable {
        /// Its title, in capitals.
        public var title: String
        /// What it says.
        public var blocks: [Block]

        /// A part.
        public init(_ title: String, _ blocks: Block...) {
            self.title = title
            self.blocks = blocks
        }
    }

    /// A piece of a part.
    public enum Block: Sendable {
        case paragraph(String)
        /// Words, and what each is.
        case list([(String, String)])
        /// Command lines or lines of a script, kept as they stand.
        case example(String)
    }

    /// What the program is, as a phrase without a full stop.
    public var phrase: String
    /// How it is called: each way on a line, words in capitals standing for others.
    public var synopsis: [String]
    /// Calls that stand at the end of the help, each of which works as it stands.
    public var calls: [String]
    /// What comes before the options.
    public var description: [Block]
    /// What comes behind them.
    public var sections: [Section]
    /// Other pages, as `name(section)`.
    public var seeAlso: [String]
    /// The day of its last change.
    public var date: String

    /// What is said of a program.
    public init(
        phrase: String, synopsis: [String], calls: [String], description: [Block], sections: [Section],
        seeAlso: [String], date: String
    ) {
        self.phrase = phrase
        self.synopsis = synopsis
        self.calls = calls
        self.description = description
        self.sections = sections
        self.seeAlso = seeAlso
        self.date = date
    }
}
