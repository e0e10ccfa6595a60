import TestSupport
import Testing

/// Jobs on this kernel, and on one without the system calls that came after Linux 4.18.
@Suite(.hangLimit)
struct OldKernelTests {
    /// A directory with `old-kernel`, which starts commands in this way.
    private func place() throws -> Scratch {
        let scratch = try Scratch()
        let source = "\(Program.root)/Tests/OldKernel/old-kernel.c"
        let compiled = try run("cc -O1 -o old-kernel \(source)", in: scratch)
        try #require(compiled.status == 0, "\(compiled.error)")
        return scratch
    }

    @Test("neither ranks nor the programs that they run inherit open files", arguments: ["", "./old-kernel"])
    func descriptors(_ kernel: String) throws {
        let scratch = try place()
        try scratch.write(
            "job.lua",
            """
            local inherits = io.open("/proc/self/fd/200") ~= nil
            local file = assert(io.open("/dev/null"))
            -- The fourth is that of the directory itself.
            local numbers = dlp.run{"ls", "/proc/self/fd", check = true}.stdout:gsub("\\n", " ")
            local all = dlp.gather{inherits, numbers}
            if all then for _, one in ipairs(all) do print(table.unpack(one)) end end
            """)
        let command = "exec 200</dev/null; exec \(kernel) ameexec -np 2 dlp-lua job.lua"
        let outcome = try run("bash -c", command, in: scratch)
        #expect(outcome.lines == ["false\t0 1 2 3 ", "false\t0 1 2 3 "])
        #expect(outcome.error == "" && outcome.status == 0)
    }

    @Test("the guardian of a job holds no file that the launcher was given", arguments: ["", "./old-kernel"])
    func guardian(_ kernel: String) throws {
        let scratch = try place()
        // That process is the launcher's child, as this rank is, and may still be about to close the descriptors that
        // it was given.
        try scratch.write(
            "job.lua",
            """
            local function parent(process)
              local file = io.open("/proc/" .. process .. "/stat")
              local name, number = (file and file:read("a") or ""):match("%((.*)%) %a (%d+)")
              return number, name
            end
            local launcher = parent("self")
            for _ = 1, 1200 do
              for process in dlp.run{"ls", "/proc", check = true}.stdout:gmatch("%d+") do
                local its, name = parent(process)
                if its == launcher and name == "ameexec-guard" then
                  local files = dlp.run{"ls", "/proc/" .. process .. "/fd"}.stdout:gsub("\\n", " ")
                  if files == "0 1 2 3 " then return print("it holds its own") end
                end
              end
              dlp.sleep(0.05)
            end
            """)
        let command = "exec 200</dev/null; exec \(kernel) ameexec -np 1 dlp-lua job.lua"
        let outcome = try run("bash -c", command, in: scratch)
        #expect(outcome.output == "it holds its own\n")
        #expect(outcome.error == "" && outcome.status == 0)
    }
}
