/// The texts of a program's help and manual, besides its options.
public struct Manual: Sendable {
    /// A section of the manual.
    public struct Section: Sendable {
        /// Its title, in capitals.
        public var title: String
        /// Its contents.
        public var blocks: [Block]

        /// A section.
        public init(_ title: String, _ blocks: Block...) {
            self.title = title
            self.blocks = blocks
        }
    }

    /// A part of a section.
    public enum Block: Sendable {
        case paragraph(String)
        /// Words, each with its meaning.
        case list([(String, String)])
        /// Command lines or lines of a script, which are printed unchanged.
        case example(String)
    }

    /// A phrase that says what the program is, without a full stop.
    public var phrase: String
    /// The ways to call it, one a line.
    ///
    /// Words in capitals are placeholders.
    public var synopsis: [String]
    /// Examples of calls for the end of the help.
    ///
    /// Each of them works unchanged.
    public var calls: [String]
    /// The text before the options.
    public var description: [Block]
    /// The sections after the options.
    public var sections: [Section]
    /// Other pages, as `name(section)`.
    public var seeAlso: [String]
    /// The date of the last change.
    public var date: String

    /// The texts of a program.
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
