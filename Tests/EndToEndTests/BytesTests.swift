import Glibc
import TestSupport
import Testing

/// Bytes from outside are kept unchanged, whether they are UTF-8 or not.
@Suite(.hangLimit)
struct BytesTests {
    /// Runs a command line of the shell, in which `$N` is a name that is not UTF-8.
    private func shell(_ command: String, in scratch: Scratch) throws -> Outcome {
        try run("bash -c", "N=$'caf\\xe9 \\xff'; \(command)", in: scratch)
    }

    @Test("a script's arguments and name", arguments: ["dlp-lua", "dlp-lua -np 2", "ameexec -n 2 dlp-lua"])
    func arguments(_ command: String) throws {
        let scratch = try Scratch()
        let text = "if not dlp or dlp.IS_ROOT then for n = 0, #arg do print(#arg[n], arg[n]) end print(...) end"
        let outcome = try shell(
            "cat > \"$N\" <<< '\(text)'; \(command) \"$N\" \"$N\" ä > ours; lua5.4 \"$N\" \"$N\" ä > stock; "
                + "cmp ours stock; rm \"$N\"", in: scratch)
        #expect(outcome.error == "" && outcome.output == "" && outcome.status == 0)
        #expect(scratch.read("stock")?.isEmpty == false)
    }

    @Test("the text of -e", arguments: ["dlp-lua", "ameexec -n 1 dlp-lua"])
    func chunk(_ command: String) throws {
        let outcome = try shell("\(command) -e \"io.write('$N')\"", in: try Scratch())
        #expect(outcome.bytes == Array("caf".utf8) + [0xE9, 0x20, 0xFF])
        #expect(outcome.error == "" && outcome.status == 0)
    }

    @Test("what ameexec starts, and the variables that it sets")
    func ameexec() throws {
        let outcome = try shell(
            "ameexec -x \"$N=$N\" env | grep -a ^caf; ameexec printf %s \"$N\"", in: try Scratch())
        let name = Array("caf".utf8) + [0xE9, 0x20, 0xFF]
        #expect(outcome.bytes == name + [UInt8(ascii: "=")] + name + [10] + name)
        #expect(outcome.error == "" && outcome.status == 0)
    }

    @Test("the names of output, timeline and journal")
    func files() throws {
        let scratch = try Scratch(job: "function examples() return 3 end function work(n) return n end")
        let outcome = try shell(
            """
            mkdir "$N"
            dlp-lua --output "$N/o.csv" --timeline "$N/t.svg" --journal "$N/j.db" job.lua
            dlp-lua --output "$N/o.csv" --journal "$N/j.db" job.lua
            ls "$N"; dlp-lua --results "$N/j.db" | wc -l
            cd "$N" && dlp-lua --output here.jsonl ../job.lua && wc -l < here.jsonl
            rm *; cd ..; rmdir "$N"
            """, in: scratch)
        #expect(outcome.lines == ["j.db", "o.csv", "t.svg", "3", "3"])
        #expect(outcome.error == "" && outcome.status == 0)
    }

    @Test("dlp.options, too")
    func scriptOptions() throws {
        let outcome = try shell(
            """
            dlp-lua -e "dlp.options = {output = '$N.jsonl'} function examples() return 3 end function work(n) return n end"
            wc -l < "$N.jsonl"; rm "$N.jsonl"
            """, in: try Scratch())
        #expect(outcome.output == "3\n" && outcome.error == "" && outcome.status == 0)
    }

    @Test("a journal does not take one argument for another")
    func journal() throws {
        let scratch = try Scratch(
            job: "function examples() return 1 end function work() return #arg[1] .. arg[1]:byte() end")
        let outcome = try shell(
            """
            dlp-lua --journal j.db job.lua $'\\xe9'; dlp-lua --journal j.db job.lua $'\\xe9'
            for other in $'\\xe8' '\u{fffd}' '\\xe9' 6Q; do dlp-lua --journal j.db job.lua "$other"; echo $?; done
            """, in: scratch)
        #expect(outcome.lines == ["\"1233\"", "\"1233\"", "2", "2", "2", "2"])
        #expect(
            outcome.error.split(separator: "\n").count == 4 && outcome.error.contains("with the script's arguments"))
    }

    @Test("who joins gets them")
    func joining() throws {
        let scratch = try Scratch()
        try scratch.write(
            "job.lua",
            "function examples() return 40 end function work(n) os.execute('sleep 0.05') return arg[1]:byte() .. dlp.RANK end"
        )
        let outcome = try shell(
            """
            export DLP_JOIN_KEY=0123456789abcdef0123456789abcdef DLP_HOST=127.0.0.1
            dlp-lua --joinable 0 job.lua "$(printf '\\351')" 2> where > results &
            until grep -qs 'can join' where; do sleep 0.05; done
            dlp-lua --join "$(sed 's/.*--join //' where)"; wait; sort -u results
            """, in: scratch)
        #expect(outcome.status == 0 && !outcome.lines.isEmpty && outcome.error == "", "\(outcome.error)")
        #expect(outcome.lines.allSatisfy { $0.hasPrefix("\"233") }, "\(outcome.output)")
    }

    @Test("messages name what they are about, and nothing in them is obeyed")
    func messages() throws {
        let scratch = try Scratch(job: "error('\\27[2J\\255 ' .. arg[1])")
        let outcome = try shell(
            """
            E=$'\\e[31m\\a'
            dlp-lua "$N$E.lua"; dlp-lua --journal "$E$N/j.db" -e 'work = print'; dlp-lua "--$E"; dlp-lua --mode "$E" x
            dlp-lua --output "$E.xyz" -e 'function examples() return 1 end work = print'; ameexec "--$E"; ameexec "$E$N"
            dlp-lua job.lua "$E"; dlp-lua -np 2 job.lua "$E"; dlp-lua -e "error(setmetatable({}, {__tostring = function() return '$E' end}))"
            """, in: scratch)
        #expect(!outcome.error.utf8.contains(0x1B) && !outcome.error.utf8.contains(7), "\(outcome.error)")
        #expect(!outcome.error.contains("\u{fffd}"))
        let errors = outcome.error.split(separator: "\n").filter {
            $0.hasPrefix("dlp-lua: ") || $0.hasPrefix("ameexec: ")
        }
        #expect(errors.count == 10)
        #expect(errors.allSatisfy { $0.contains("\\x1b[31m\\x07") }, "\(outcome.error)")
        #expect(errors[0].contains("caf\\xe9 \\xff\\x1b"))
        #expect(outcome.error.contains("\\x1b[2J\\xff \\x1b[31m"))
    }

    @Test("what a script prints is its own affair")
    func prints() throws {
        let outcome = try run(
            "dlp-lua -np 2 -e", "if dlp.IS_ROOT then io.stderr:write('\\27[1mx\\255') io.write('\\27[1my') end")
        #expect(outcome.output == "\u{1b}[1my" && outcome.error == "\u{1b}[1mx\u{fffd}" && outcome.status == 0)
    }

    @Test(
        "twenty thousand arguments cost what they cost, not their square",
        arguments: ["dlp-lua", "dlp-lua -np 2", "ameexec"])
    func many(_ command: String) throws {
        let scratch = try Scratch(job: "if not dlp or dlp.IS_ROOT then print(#arg, arg[#arg]) end")
        let program = command == "ameexec" ? "ameexec lua5.4" : command
        // This would take seventeen seconds on a fast machine if the time grew with the square.
        let outcome = try run("bash -c", "timeout 60 \(program) job.lua $(seq 50000)", in: scratch)
        #expect(outcome.output == "50000\t50000\n" && outcome.error == "" && outcome.status == 0)
    }
}
