import Testing

/// The annotations for the Lua language server, against what is there.
@Suite(.timeLimit(.minutes(60)))
struct AnnotationTests {
    private static let file = "\(Program.scripts)/annotations/dlp.lua"

    @Test("every field of the module is annotated, with its type, and nothing else is")
    func fields() throws {
        // The annotations are Lua, too, whose functions are empty: what they define is compared with what they describe.
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
        #expect(outcome.output == "collect examples setup summarize work\n")
        #expect(outcome.error == "" && outcome.status == 0)
    }
}
