import DLP
import Glibc
import TestSupport
import Testing

@testable import LuaHost

/// `dlp.csv`, `dlp.jsonl`, `dlp.lines` and `dlp.grid`.
@Suite("Data that a script reads")
struct DataFileTests {
    /// The beginning of the scripts: `file(text)` returns the name of a file; `csv`, `jsonl`, `lines` apply these
    /// functions to a text and return JSON; `fails` returns the message of a failure.
    private static let beginning = #"""
        local directory = ...
        path = directory .. "/data"
        function file(text)
          local f <close> = assert(io.open(path, "wb"))
          f:write(text)
          return path
        end
        function all(reader) return dlp.json.encode(reader:all()) end
        function csv(text, opts) return all(dlp.csv(file(text), opts)) end
        function jsonl(text) return all(dlp.jsonl(file(text))) end
        function lines(text) return all(dlp.lines(file(text))) end
        function equal(found, expected) if found ~= expected then error(found .. " instead of " .. expected, 2) end end
        function fails(message, fn, ...)
          local ok, found = pcall(fn, ...)
          if ok then error("it does not fail: " .. tostring(found), 2) end
          found = tostring(found):gsub(path:gsub("%p", "%%%0"), "FILE")
          if not found:find(message, 1, true) then error(found .. " instead of " .. message, 2) end
        end

        """#

    private func run(_ text: String, on rank: LoneRank? = nil) throws {
        let directory = try TemporaryDirectory()
        let rank = try rank ?? LoneRank()
        try rank.run(Self.beginning, arguments: [SystemString(directory.path)])
        try rank.run(text)
    }

    @Test("CSV as RFC 4180 has it, and as programs write it")
    func rows() throws {
        try run(
            #"""
            equal(csv "a,b\n1,x\n2,y\n", '[{"a":"1","b":"x"},{"a":"2","b":"y"}]')
            equal(csv "a,b\r\n1,x\r\n2,y", '[{"a":"1","b":"x"},{"a":"2","b":"y"}]')
            equal(csv '"a","b ""c"""\n"1,\n2\r\n","x ""y"""\n', '[{"a":"1,\\n2\\r\\n","b \\"c\\"":"x \\"y\\""}]')
            equal(csv '\xef\xbb\xbf"a",b\n1,2\n', '[{"a":"1","b":"2"}]')
            equal(csv 'a,b,c\n"",,\n', '[{"a":"","b":"","c":""}]')
            equal(csv 'a,b\n 1 , "2"\n', '[{"a":" 1 ","b":" \\"2\\""}]')
            equal(csv 'size\n5" disk\n', '[{"size":"5\\" disk"}]')
            equal(csv 'a,b\n"""",""""""\n', '[{"a":"\\"","b":"\\"\\""}]')
            -- A blank line is no row; one empty field is written with quotes.
            equal(csv 'a\n\n1\n\r\n""\n\n', '[{"a":"1"},{"a":""}]')
            equal(csv "", "[]") equal(csv "a,b\n", "[]") equal(csv "a,b", "[]")
            equal(csv("1,x\n2,y\n", {header = false}), '[["1","x"],["2","y"]]')
            equal(csv("a;b\n1,5;x\n", {separator = ";"}), '[{"a":"1,5","b":"x"}]')
            equal(csv('a\tb\n"1\t2"\t3\n', {separator = "\t"}), '[{"a":"1\\t2","b":"3"}]')
            assert(dlp.csv(file "a\nx\0y\n"):all()[1].a == "x\0y" and dlp.csv(file "a\n\xff\n"):all()[1].a == "\xff")
            local wide = ("x,"):rep(5000) .. "x"
            assert(#dlp.csv(file(wide), {header = false}):all()[1] == 5001)
            """#)
    }

    @Test("fields end where they do, however long they are, and whatever bytes are about", arguments: [",", ";", "\t"])
    func fields(separator: String) throws {
        try run(
            #"""
            local separator = "\#(separator == "\t" ? "\\t" : separator)"
            local near = {"x", separator, '"', "\n", "\r", "\0", "\xff", string.char(separator:byte() ~ 0x80)}
            for _, change in ipairs{-1, 1, 0x7f} do near[#near + 1] = string.char((separator:byte() + change) % 256) end
            local rows, lines = {}, {}
            for length = 0, 40 do
              for _, byte in ipairs(near) do
                local row = {}
                for place = 1, length, 7 do
                  row[#row + 1] = ("y"):rep(place - 1) .. byte .. ("z"):rep(length - place)
                end
                row[#row + 1] = ("w"):rep(length)
                while #row < 7 do row[#row + 1] = "" .. #row end
                local written = {}
                for i, field in ipairs(row) do
                  local is_plain = not field:find('["\n\r]') and not field:find(separator, 1, true)
                  written[i] = is_plain and field or '"' .. field:gsub('"', '""') .. '"'
                end
                rows[#rows + 1], lines[#lines + 1] = row, table.concat(written, separator) .. "\n"
              end
            end
            local found = dlp.csv(file(table.concat(lines)), {header = false, separator = separator}):all()
            assert(#found == #rows)
            for i, row in ipairs(rows) do
              for j = 1, 7 do assert(found[i][j] == row[j], ("%d, %d: %q, %q"):format(i, j, found[i][j], row[j])) end
            end
            """#)
    }

    @Test("values as their types have them")
    func types() throws {
        try run(
            #"""
            local text = 'n,i,b,s\n1,2,true,3\n1.0,3.0,NO,4\n 1e2 ,-0007,1,\n,,,""\n'
            equal(csv(text, {types = {n = "number", i = "integer", b = "boolean", s = "string"}}),
              '[{"b":true,"i":2,"n":1,"s":"3"},{"b":false,"i":3,"n":1.0,"s":"4"},{"b":true,"i":-7,"n":100.0,"s":""},{"s":""}]')
            equal(csv(text, {types = {i = "number"}}):sub(1, 37), '[{"b":"true","i":2,"n":"1","s":"3"},{')
            local rows = dlp.csv(file "x\n-inf\nnan\nInfinity\n.5\n5.\n+3\n18446744073709551616\n", {types = {x = "number"}}):all()
            assert(rows[1].x == -math.huge and rows[2].x ~= rows[2].x and rows[3].x == math.huge)
            assert(rows[4].x == 0.5 and rows[5].x == 5.0 and math.type(rows[6].x) == "integer" and rows[7].x == 2.0 ^ 64)
            equal(csv('a,b,c,d,e,f,g\n1,-1.5e3,true,007,"1",,x1\n', {types = "auto"}),
              '[{"a":1,"b":-1500.0,"c":true,"d":"007","e":"1","g":"x1"}]')
            equal(csv("1,x\n2,y\n", {header = false, types = {"integer"}}), '[[1,"x"],[2,"y"]]')
            fails("FILE:3:3: column n: \"x1\" is not a number", csv, "a,n\n1,2\n1,x1\n", {types = {n = "number"}})
            fails("FILE:2:1: column n: \"1.5\" is not a whole number", csv, "n\n1.5\n", {types = {n = "integer"}})
            fails("FILE:2:1: column n: \"maybe\" is not true or false", csv, "n\nmaybe\n", {types = {n = "boolean"}})
            fails("FILE:1:1: column 1: \"0x10\" is not a number", csv, "0x10\n", {header = false, types = {"number"}})
            fails("FILE:1:1: types names a column m, which is not there", csv, "n\n1\n", {types = {m = "number"}})
            fails("types: \"numbr\" is no type; is number meant?", csv, "n\n1\n", {types = {n = "numbr"}})
            """#)
    }

    @Test("what is wrong in a file is told with its place, and what comes next may still be read")
    func mistakes() throws {
        try run(
            #"""
            fails("FILE:3:1: this row has 1 field, the header 2; in dlp.csv ragged = \"fill\" takes", csv, "a,b\n1,2\n3\n4,5\n")
            fails("FILE:4:1: this row has 3 fields, the header 2", csv, 'a,b\n"1\n",2\n3,4,5\n')
            fails("FILE:2:1: this row has 3 fields, the first 2", csv, "1,2\n3,4,5\n", {header = false})
            equal(csv("a,b,c\n1\n1,2,3\n1,2\n", {ragged = "fill"}),
              '[{"a":"1","b":"","c":""},{"a":"1","b":"2","c":"3"},{"a":"1","b":"2","c":""}]')
            equal(csv("1\n1,2\n", {ragged = "fill", header = false}), '[["1"],["1","2"]]')
            fails("FILE:2:1: this row has 3 fields, the header 2", csv, "a,b\n1,2,3\n", {ragged = "fill"})
            fails("FILE:1:5: the column \"a\" is there twice", csv, "a,b,a\n1,2,3\n")
            fails("FILE:3:3: a quote that is never closed", csv, 'a,b\n1,2\n3,"4\n5,6\n7,8\n')
            fails("FILE:2:4: behind the quote that closes a field something else follows", csv, 'a,b\n"1"x,2\n')
            fails("FILE:4:2: behind the quote", csv, 'a,b\n1,"\n\n"x\n')
            fails("FILE:1:3: a carriage return in the header", csv, "a,b\r1,2\r3,4\r")
            fails("FILE is UTF-16", csv, "\xff\xfea\0,\0b\0\n\0")
            local read, rows = dlp.csv(file "a,b\n1,2\n3\n5,6\n"), {}
            assert(read().a == "1" and not pcall(read) and read().a == "5" and read() == nil and read() == nil)
            -- After a header that is none nothing can be told of the rest.
            read = dlp.csv(file "a,a\n1,2\n")
            assert(not pcall(read) and read() == nil)
            fails("FILE cannot be opened: No such file", function() os.remove(file "") dlp.csv(path) end)
            fails("cannot be opened: Is a directory", dlp.csv, "/tmp")
            """#)
    }

    @Test(
        "a call that cannot be meant is an error where it stands",
        arguments: [
            ("dlp.csv()", "csv: expected the name of a file, got nil"),
            ("dlp.csv{}", "csv: expected the name of a file"),
            ("dlp.csv('a\\0b')", "csv: the name of the file has a NUL byte"),
            ("dlp.csv('x', 1)", "csv: the options must be a table, not 1"),
            ("dlp.csv('x', {seperator = ';'})", "csv: there is no option seperator; is separator meant?"),
            ("dlp.csv('x', {zzz = 1})", "csv: there is no option zzz; there are separator, header, types, ragged"),
            ("dlp.csv('x', {separator = ';;'})", "csv: separator is \";;\"; expected one character"),
            ("dlp.csv('x', {separator = '\"'})", "csv: separator is"),
            ("dlp.csv('x', {header = 1})", "csv: header must be"),
            ("dlp.csv('x', {ragged = true})", "csv: ragged is true; expected \"fill\""),
            ("dlp.csv('x', {types = 'number'})", "csv: types is \"number\"; expected \"auto\" or a table"),
            ("dlp.lines()", "lines: expected the name of a file, got nil"),
            ("dlp.jsonl('/nowhere/x')", "/nowhere/x cannot be opened: No such file"),
            ("dlp.grid()", "grid: expected a table, got nil"), ("dlp.grid{1}", "grid: 1 is no name"),
            ("dlp.grid{a = 'x'}", "grid: a is \"x\"; expected a list of values, or a number n for 1 to n"),
            ("dlp.grid{a = 1.5}", "grid: a is 1.5"), ("dlp.grid{a = -1}", "grid: a is -1"),
            ("dlp.grid{a = {x = 1}}", "grid: a must be a list"),
            ("dlp.grid{a = 1 << 30, b = 1 << 30}", "grid: it has more than 2^40 points"),
            ("dlp.grd{}", "is dlp.grid meant?"),
        ])
    func slips(call: String, message: String) throws {
        let error = try LoneRank().error("\nlocal v = \(call)")
        #expect(error.message.hasPrefix("job.lua:2: ") && error.message.contains(message), "\(error.message)")
    }

    @Test("lines and JSON Lines")
    func records() throws {
        try run(
            #"""
            equal(lines "a\n\nb\r\nc", '["a","","b\\r","c"]') equal(lines "a\n", '["a"]') equal(lines "", "[]")
            equal(lines "\xef\xbb\xbfa\n", '["\u{feff}a"]')
            equal(jsonl '{"a":1}\n\n [1,null] \r\n"x"\nfalse', '[{"a":1},{"1":1,"n":2},"x",false]')
            equal(jsonl '\xef\xbb\xbf1\n2.0\n', "[1,2.0]")
            fails("FILE:2:7: expected ',' or '}', and the text ends", jsonl, '{"a":1}\n{"a":2\n{"a":3}\n')
            fails("FILE:3:2: expected a value, got 'x'", jsonl, '1\n2\n[x]\n')
            fails("FILE:2:1: null, which in Lua is nothing", jsonl, "1\nnull\n")
            fails("FILE:1:1: a string that never ends", jsonl, '"a\nb"\n')
            fails("bytes that are not UTF-8", jsonl, '"\xff"\n')
            fails("nested deeper than 10000 levels", jsonl, ("["):rep(100000))
            local read = dlp.jsonl(file "1\n]\n3\n")
            assert(read() == 1 and not pcall(read) and read() == 3 and read() == nil)
            """#)
    }

    @Test("a file is read as the loop goes, and closed behind it")
    func iteration() throws {
        try run(
            #"""
            local rows = {}
            for i = 1, 100000 do rows[i] = ("%d,%d\n"):format(i, i * i) end
            file("a,b\n" .. table.concat(rows))
            local count = 0
            for row, i in dlp.csv(path, {types = "auto"}) do
              count = count + 1
              assert(i == count and row.a == i and row.b == i * i)
            end
            assert(count == 100000)
            for i = 1, 50 do
              for row in dlp.csv(path) do break end
              pcall(function() for row in dlp.lines(path) do error() end end)
              dlp.jsonl(path)
            end
            collectgarbage()
            -- Other tests open files, too.
            assert(dlp.run{"sh", "-c", 'ls -l /proc/$PPID/fd | grep -cF "$0"', path}.stdout == "0\n")
            -- What a loop of the module takes.
            local sum = 0
            for v in dlp.map_unordered(function(row) return row.b end, dlp.csv(file "b\n1\n2\n", {types = "auto"})) do sum = sum + v end
            assert(sum == 3)
            local reader <close> = dlp.lines(path)
            assert(reader() == "b" and #reader:all() == 2 and reader() == nil)
            """#)
    }

    @Test("records of any length, whatever pieces they come in")
    func lengths() throws {
        try run(
            #"""
            local long = ("0123456789"):rep(10000000)
            assert(#dlp.lines(file(long .. "\nx")):all()[1] == 100000000)
            local row = dlp.csv(file('a,b\n"' .. long .. '\n",2\n')):all()[1]
            assert(#row.a == 100000001 and row.b == "2")
            fails("FILE:2:1: a quote that is never closed", function() return dlp.csv(file('a\n"' .. long)):all() end)
            long, row = nil, nil
            -- Each row ends somewhere else in what is read at once.
            for _, size in ipairs{131071, 131072, 131073, 65536, 1} do
              local field = ("y"):rep(size)
              local text = {"a,b"}
              for i = 1, 5 do text[#text + 1] = ('"%s""\n",%s\r'):format(field, field) end
              local rows = dlp.csv(file(table.concat(text, "\n") .. "\n")):all()
              assert(#rows == 5)
              for _, row in ipairs(rows) do assert(row.a == field .. '"\n' and row.b == field) end
            end
            """#)
    }

    @Test("is bound by the memory limit, and no worse for it")
    func memory() throws {
        let rank = try LoneRank()
        rank.host.limitMemory(to: 32 << 20)
        try run(
            #"""
            do
              local f <close> = io.open(path, "wb")
              for i = 1, 64 do f:write(("x"):rep(1 << 20)) end
            end
            for _, open in ipairs{dlp.csv, dlp.lines, dlp.jsonl} do
              for i = 1, 3 do fails("not enough memory", function() return open(path)() end) end
            end
            assert(dlp.lines(file "short\n")() == "short")
            """#, on: rank)
    }

    @Test(
        "a finalizer that comes while a record is read can neither read nor close that reader",
        arguments: ["csv", "jsonl"])
    func finalizers(_ format: String) throws {
        try run(
            #"""
            local text = {}
            for i = 1, 3000 do text[i] = '{"a":1,"b":[' .. i .. ',{"c":"x1"}]}' end
            local reader = dlp.\#(format)(file("a\n" .. ("1\n"):rep(3000)))
            if "\#(format)" == "jsonl" then reader = dlp.jsonl(file(table.concat(text, "\n"))) end
            local Trouble = {}
            function Trouble.__gc()
              pcall(reader)
              getmetatable(reader).__close(reader)
              setmetatable({}, Trouble)
            end
            collectgarbage("generational")
            setmetatable({}, Trouble)
            for row in reader do local _ = {row, {}, {}} end
            Trouble.__gc = nil
            """#)
    }

    @Test("a grid is the product of its lists, in the order of the sorted names, the last one fastest")
    func grid() throws {
        try LoneRank().run(
            """
            local encode = dlp.json.encode
            assert(encode(dlp.grid{seed = 2, lr = {0.1, 0.01}}) ==
              '[{"lr":0.1,"seed":1},{"lr":0.1,"seed":2},{"lr":0.01,"seed":1},{"lr":0.01,"seed":2}]')
            assert(encode(dlp.grid{}) == "[[]]" and encode(dlp.grid{a = 0, b = 3}) == "[]" and encode(dlp.grid{a = {}}) == "[]")
            assert(encode(dlp.grid{a = {false, "x", {1}}}) == '[{"a":false},{"a":"x"},{"a":[1]}]')
            local grid = dlp.grid{a = 10, b = 10, c = 10}
            assert(#grid == 1000 and grid[1000].a == 10 and grid[124].a == 2 and grid[124].b == 3 and grid[124].c == 4)
            """)
    }

    @Test("under --sandbox there are JSON and grids, but no files")
    func sandbox() throws {
        let rank = try LoneRank(isSandboxed: true)
        try rank.run("assert(dlp.json.encode(dlp.json.decode '[1]') == '[1]' and #dlp.grid{a = 3} == 3)")
        for name in ["csv", "jsonl", "lines"] {
            let error = rank.error("\nlocal rows = dlp.\(name)('/etc/passwd')")
            #expect(error.message == "job.lua:2: \(name): under --sandbox there are no files")
        }
    }
}
