import Glibc
import TestSupport
import Testing

/// Compares the annotations for the Lua language server with the real module.
@Suite(.hangLimit)
struct AnnotationTests {
    private static let file = "\(Program.scripts)/annotations/dlp.lua"

    @Test("every field of the module is annotated, with its type, and nothing else is")
    func fields() throws {
        // The annotations are Lua too, with empty functions: what they define is compared with what they describe.
        let scratch = try Scratch(
            job: """
                local annotated = {}
                assert(loadfile("\(Self.file)", "t", annotated))()
                local function compare(real, annotated, name)
                  for key, value in pairs(real) do
                    if type(annotated[key]) ~= type(value) then print(name .. key .. " is not annotated so") end
                    if type(value) == "table" then compare(value, annotated[key] or {}, name .. key .. ".") end
                  end
                  for key in pairs(annotated) do
                    if real[key] == nil then print(name .. key .. " is annotated, but not there") end
                  end
                end
                compare(dlp, annotated.dlp, "dlp.")
                annotated.dlp = nil
                local globals = {}
                for name, value in pairs(annotated) do
                  assert(type(value) == "function")
                  globals[#globals + 1] = name
                end
                table.sort(globals)
                print(table.concat(globals, " "))
                """)
        let outcome = try run("dlp-lua job.lua", in: scratch)
        #expect(outcome.output == "collect cost examples setup summarize work\n")
        #expect(outcome.error == "" && outcome.status == 0)
    }
    @Test("the options that a script may set are those that are annotated")
    func options() throws {
        let completion = try run("dlp-lua --generate-completion-script bash").output
        let names = Set(completion.matches(of: /--([a-z][a-z-]+)/).map { String($0.1).replacing("-", with: "_") })
        var settable: Set<String> = []
        for name in names {
            let job = "dlp.options = {\(name) = '?'} function examples() return {} end function work() end"
            let refused = ["there is no option", "cannot be set by the script"]
            let error = try run("dlp-lua -e", job).error
            if !refused.contains(where: error.contains) { settable.insert(name) }
        }
        let lines = try #require(text(of: Self.file)).split(separator: "\n")
        let fields = lines.drop { $0 != "---@class dlp.options" }.dropFirst().prefix { $0.hasPrefix("---@field ") }
        let annotated = fields.map { String($0.dropFirst("---@field ".count).prefix { $0 != "?" }) }
        #expect(names.count > 30 && Set(annotated) == settable)
    }

    private func text(of path: String) -> String? {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        return String(decoding: contents(of: file), as: UTF8.self)
    }
}
