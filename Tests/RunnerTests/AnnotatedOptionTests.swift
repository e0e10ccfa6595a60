import Glibc
import Testing

@testable import Runner

/// The annotations for the Lua language server, against the table of options.
@Suite struct AnnotatedOptionTests {
    @Test("the options that a script may set are those that are annotated")
    func options() throws {
        let root = #filePath.split(separator: "/").dropLast(3).map { "/\($0)" }.joined()
        let text = try contents(of: "\(root)/scripts/annotations/dlp.lua")
        let lines = text.split(separator: "\n").drop { $0 != "---@class dlp.options" }.dropFirst()
        let fields = lines.prefix { $0.hasPrefix("---@field ") }.map { $0.dropFirst("---@field ".count) }
        let annotated = fields.map { String($0.prefix { $0 != "?" }) }
        let expected = JobOption.all.compactMap { option -> String? in
            if case .never = option.script { return nil }
            return String(option.name.map { $0 == "-" ? "_" : $0 })
        }
        #expect(annotated.sorted() == expected.sorted())
    }

    private func contents(of path: String) throws -> String {
        let file = try #require(fopen(path, "r"))
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: 1 << 20)
        let count = fread(&bytes, 1, bytes.count, file)
        return String(decoding: bytes[..<count], as: UTF8.self)
    }
}
