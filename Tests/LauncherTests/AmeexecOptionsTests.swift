import Arguments
import DLP
import Testing

@testable import Launcher

/// Each option of ameexec is declared once, and its declaration is right.
struct AmeexecOptionsTests {
    @Test("every option sets something, and every property is set by one")
    func reach() throws {
        var reached: Set<String> = []
        for entry in AmeexecOptions.entries {
            var options = AmeexecOptions()
            let value: SystemString =
                switch entry.completion {
                case .words(let words): SystemString(words.last ?? "")
                default: "7"
                }
            try options.set(entry, value)
            let set = leaves(options).filter { $0.value != leaves(AmeexecOptions())[$0.key] }.map(\.key)
            #expect(set.count == 1, "\(entry.option.name)")
            reached.formUnion(set)
        }
        // The other properties are derived from these, or are for dlp-lua.
        let derived: Set = ["launch.size", "launch.command", "launch.hosts", "launch.program"]
        #expect(reached == Set(leaves(AmeexecOptions()).keys).subtracting(derived))
    }

    /// The properties of the parts by name, with their values.
    private func leaves(_ options: AmeexecOptions) -> [String: String] {
        var leaves: [String: String] = [:]
        for part in Mirror(reflecting: options).children {
            for child in Mirror(reflecting: part.value).children {
                leaves["\(part.label ?? "").\(child.label ?? "")"] = "\(child.value)"
            }
        }
        return leaves
    }

    @Test("every option is in help, completions and manual")
    func pages() throws {
        for question in ["help", "manual", "bash", "zsh", "fish"] {
            var asked = AboutOptions()
            switch question {
            case "help": asked.wantsHelp = true
            case "manual": asked.wantsManual = true
            default: asked.shell = SystemString(question)
            }
            let text = try #require(try AmeexecOptions.description.text(asked)).replacing("\\-", with: "-")
            for option in AmeexecOptions.entries.map(\.option) {
                #expect(option.help.last == ".", "\(option.name)")
                let shown = question == "fish" ? String(option.name.drop { $0 == "-" }) : option.name
                #expect(text.contains(shown) != option.isHidden, "\(option.name) in \(question)")
            }
            if question == "help" { #expect(text.split(separator: "\n").allSatisfy { $0.count <= 80 }, "\(text)") }
        }
    }
}
