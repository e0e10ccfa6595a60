import TestSupport
import Testing

/// A job in which one rank, named by the argument, never finishes its first example; the others wait until it has
/// begun it.
enum StuckJob {
    static let script = """
        function examples() return 12 end
        function work(n)
          if dlp.RANK == tonumber(arg[1]) then
            io.open("stuck", "w"):close()
            while true do end
          end
          while not io.open("stuck") do os.execute("sleep 0.05") end
          return n
        end
        function summarize(results) print(table.concat(results, " ")) end
        """

    /// The job's output where other ranks do what the stuck rank did not.
    static let output = "1 2 3 4 5 6 7 8 9 10 11 12\n"

    /// Waits until the rank is stuck.
    static func wait(_ launched: Launched, in scratch: Scratch) throws {
        try launched.reaches("the rank is stuck") { scratch.names.contains("stuck") }
    }
}
