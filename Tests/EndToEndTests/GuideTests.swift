import Glibc
import TestSupport
import Testing

/// The commands in the guide.
@Suite("The guide")
struct GuideTests {
    /// A section of the recipes: its title and its commands.
    struct Recipe: CustomTestStringConvertible {
        var title: String
        var commands: [String] = []

        var testDescription: String { title }
    }

    /// The sections of these pages that have commands, and the files that they show.
    ///
    /// The first line of a file is a comment that names it.
    static let (recipes, files): ([Recipe], [(name: String, text: String)]) = {
        var (recipes, files): ([Recipe], [(name: String, text: String)]) = ([], [])
        for page in [
            "Recipes", "Coprocess", "EarlyStop", "Growing", "Optimisers", "Plan", "Pipelines", "Debugging", "Each",
        ] {
            var (block, title): ([Substring]?, String?)
            let file = open("\(Program.root)/Sources/dlp-lua/Guide.docc/\(page).md", O_RDONLY | O_CLOEXEC)
            defer { close(file) }
            let text = String(decoding: contents(of: file), as: UTF8.self)
            for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
                if line.hasPrefix("```") {
                    if let lines = block, let first = lines.first?.split(separator: " "),
                        let name = first.dropFirst().first,
                        ["--", "#"].contains(first[0])
                    {
                        files.append((name.filter { $0 != ":" }, lines.joined(separator: "\n") + "\n"))
                    }
                    block = block == nil ? [] : nil
                } else if block != nil {
                    block?.append(line)
                } else if line.hasPrefix("## ") {
                    title = String(line.dropFirst(3))
                } else if line.hasPrefix("    "), let title {
                    if recipes.last?.title != title { recipes.append(Recipe(title: title)) }
                    recipes[recipes.count - 1].commands.append(String(line.dropFirst(4)))
                }
            }
        }
        return (recipes, files)
    }()

    @Test("there are recipes, and their files have names, each its own")
    func areThere() {
        #expect(Self.recipes.count >= 10)
        #expect(Set(Self.files.map(\.name)).count == Self.files.count, "\(Self.files.map(\.name).sorted())")
        #expect(Self.files.contains { $0.name == "grid.lua" } && Self.files.allSatisfy { $0.name.contains(".") })
    }

    @Test("a recipe works as it stands", arguments: recipes)
    func recipe(_ recipe: Recipe) throws {
        let scratch = try Scratch()
        for file in Self.files { try scratch.write(file.name, file.text) }
        let outcome = try run("bash -euo pipefail -c", recipe.commands.joined(separator: "\n"), in: scratch)
        #expect(outcome.status == 0 && outcome.error == "", "\(outcome.error)")
    }
}
