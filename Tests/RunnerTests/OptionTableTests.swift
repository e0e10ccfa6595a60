import Arguments
import DLP
import LuaHost
import Testing

@testable import Runner

/// Each option is declared once, and its declaration is right.
struct OptionTableTests {
    /// Returns a valid value of an option other than its default.
    private func value(for entry: CommandOption) -> SystemString {
        switch entry.completion {
        case .words(let words): SystemString(words.last ?? "")
        case .files, .directories, .command: "a.json"
        case .none: entry.option.value == nil ? "yes" : "7"
        }
    }

    /// Returns what an option sets.
    private func set(_ entry: CommandOption, _ value: SystemString) throws -> (GivenOptions, JobOptions) {
        var (given, job) = (GivenOptions(), JobOptions())
        try given.set(entry, value)
        if case .job(let option) = entry { try job.set(option, value) }
        return (given, job)
    }

    /// Returns the properties of a structure that differ from those of an empty one.
    private func changed<Structure>(_ structure: Structure, _ empty: Structure) -> Set<String> {
        let (now, before) = (Mirror(reflecting: structure).children, Mirror(reflecting: empty).children)
        return Set(zip(now, before).filter { "\($0.value)" != "\($1.value)" }.compactMap { $0.0.label })
    }

    private func labels(_ structure: Any) -> Set<String> {
        Set(Mirror(reflecting: structure).children.compactMap(\.label))
    }

    @Test("every property that options set is set by one of them, and each option sets one")
    func reach() throws {
        let empty = GivenOptions()
        var reached: [Set<String>] = Array(repeating: [], count: 4)
        for entry in CommandOption.all {
            let (given, job) = try set(entry, value(for: entry))
            let sets = [
                changed(given.about, empty.about), changed(given.start, empty.start), changed(given.call, empty.call),
                changed(job, JobOptions()),
            ]
            #expect(sets.reduce(0) { $0 + $1.count } == 1, "\(entry.option.name)")
            for (part, set) in sets.enumerated() { reached[part].formUnion(set) }
        }
        let parts: [Any] = [empty.about, empty.start, empty.call, JobOptions()]
        #expect(reached == parts.map { labels($0) })
        #expect(labels(empty).count == parts.count - 1)
    }

    @Test("a value of the job that an option has set is the one that it tells")
    func told() throws {
        for case .job(let option) in CommandOption.all {
            var options = JobOptions()
            #expect(!option.isSet(in: options), "\(option.name)")
            let value = value(for: .job(option))
            try options.set(option.name, value)
            #expect(option.isSet(in: options), "\(option.name)")
            // An option that is sent to other ranks has the same meaning there.
            guard option.alike == .value || option.isOffered else { continue }
            var there = JobOptions()
            try there.set(option.name, try #require(option.value(in: options)))
            #expect(changed(there, options) == [], "\(option.name)")
        }
    }

    @Test("what completion offers is taken, and what may be left out is among it")
    func completion() throws {
        for entry in CommandOption.all {
            guard case .words(let words) = entry.completion else { continue }
            for word in words {
                #expect(throws: Never.self, "\(entry.option.name)") { try set(entry, SystemString(word)) }
            }
            guard let optional = entry.option.optionalValue else { continue }
            #expect(optional.words == words && words.contains(optional.usual), "\(entry.option.name)")
        }
    }

    @Test("no name stands twice, and each option has a help of one or two sentences")
    func names() {
        let names = CommandOption.all.flatMap(\.option.names)
        #expect(Set(names).count == names.count)
        for option in CommandOption.all.map(\.option) {
            #expect(option.help.count > 10 && option.help.count < 220 && option.help.last == ".", "\(option.name)")
        }
    }

    @Test("every option that people are told of is in help, completions and manual, and the others are not")
    func pages() throws {
        for question in ["help", "manual", "bash", "zsh", "fish"] {
            var asked = AboutOptions()
            switch question {
            case "help": asked.wantsHelp = true
            case "manual": asked.wantsManual = true
            default: asked.shell = SystemString(question)
            }
            let text = try #require(try CommandOption.description.text(asked))
            let words = Set(
                text.split { !($0.isLetter || $0.isNumber || "-\\:".contains($0)) }.map { word in
                    String(word.replacing("\\-", with: "-").replacing("\\fB", with: ""))
                        .replacing("\\fR", with: "")
                })
            for option in CommandOption.all.map(\.option) {
                for name in option.names {
                    let letters = String(name.drop { $0 == "-" })
                    #expect(
                        words.contains(question == "fish" ? letters : name) != option.isHidden, "\(name) in \(question)"
                    )
                }
                if question == "help" { #expect(text.contains(option.help.prefix(20)) != option.isHidden) }
            }
        }
    }

    @Test("the help fits a terminal of 80 columns, and ends with its examples")
    func help() throws {
        var asked = AboutOptions()
        asked.wantsHelp = true
        let text = try #require(try CommandOption.description.text(asked))
        #expect(text.split(separator: "\n").allSatisfy { $0.count <= 80 && $0.last != " " }, "\(text)")
        #expect(text.split(separator: "\n").suffix(3).allSatisfy { $0.contains("dlp-lua") })
    }

    @Test("a name in dlp.options that is near one is answered with it")
    func nearMiss() {
        var options = JobOptions()
        let error = #expect(throws: UsageError.self) { try options.addScriptOptions([("retrys", .text("1"))]) }
        #expect(error?.message == "there is no option retrys; is retries meant?")
    }

    @Test("a script's value gives way to the command line's, and with it what belongs to it")
    func precedence() throws {
        var options = JobOptions()
        try options.set("input", "mine.txt")
        try options.set("keep", "yes")
        try options.addScriptOptions([
            ("input", .text("its.csv")), ("format", .text("csv")), ("fresh", .truth(true)),
            ("timeline", .text("t.svg")),
        ])
        #expect(options.input == "mine.txt" && options.format == nil)
        #expect(options.keep == .yes && options.fresh == nil && options.timelines == ["t.svg"])
        options = JobOptions()
        try options.set("input", "mine.txt")
        try options.addScriptOptions([("format", .text("csv"))])
        #expect(options.format == .csv)
    }
}
