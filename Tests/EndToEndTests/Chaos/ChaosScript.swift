/// The scripts of a chaos job.
///
/// Their results depend only on example and seed.
///
/// `CHAOS_FILES` is the first part of the names of the files that examples leave when they begin; without it they
/// leave none.
enum ChaosScript {
    /// The script of a plan.
    static func text(of plan: ChaosPlan) -> String {
        switch plan.form {
        case .job: head(of: plan) + sink(plan.sink)
        case .loop(let name): head(of: plan) + loop(name, plan)
        }
    }

    private static func head(of plan: ChaosPlan) -> String {
        """
        local failing, cost = \(plan.failing), \(Double(plan.cost) / 1000)
        -- No value that the script holds: a job that goes on would say that it is another one.
        local function side() return os.getenv("CHAOS_FILES") end
        function examples() return \(plan.examples) end
        local function try(n)
          local drawn, till = math.random(1 << 40), os.clock() + cost * (n % 5) / 4
          if side() then
            io.open(side() .. "." .. n .. "." .. dlp.RANK, "w"):close()
            while os.clock() < till do end
          end
          if failing > 0 and n % failing == 0 then error("no " .. n) end
          return {n, drawn, ("x"):rep(n % 50)}
        end

        """
    }

    private static func sink(_ sink: ChaosPlan.Sink) -> String {
        switch sink {
        case .lines: "function work(n) return try(n) end"
        case .summarize:
            """
            function work(n) return try(n) end
            function summarize(results)
              for n = 1, results.n do
                local failure = results.errors and results.errors[n]
                print(n, failure and failure.message or table.concat(results[n], " "))
              end
            end
            """
        case .collect:
            """
            function work(n) return try(n) end
            local seen = {}
            function collect(result, index, example)
              assert(not seen[index] and example == index, "collected twice")
              seen[index] = true
              print(index, table.concat(result, " "))
            end
            """
        case .enough(let example):
            // The plain loop has this variable unset, and has all examples.
            """
            dlp.options = {collect = "order"}
            function work(n) return try(n) end
            local last = 0
            function collect(result, index, example)
              assert(index > last and example == index, "out of order")
              last = index
              if side() and index >= \(example) then dlp.stop() end
            end
            function summarize(results)
              for n = 1, results.n do
                local failure = results.errors and results.errors[n]
                print(n, failure and failure.message or table.concat(results[n], " "))
              end
            end
            """
        }
    }

    private static func loop(_ name: String, _ plan: ChaosPlan) -> String {
        let options = "{chunk = \(plan.chunk.map { "\($0)" } ?? "nil")}"
        let loop =
            name == "map_unordered"
            ? """
            local function square(n) try(n) return {n, n * n} end
            local mine = {}
            for result in dlp.map_unordered(square, \(plan.examples), \(options)) do mine[#mine + 1] = result end
            local all = {mine, n = 1}
            """
            : """
            local mine = {}
            for n in dlp.\(name)(\(plan.examples), \(options)) do try(n) mine[#mine + 1] = {n, n * n} end
            local all = dlp.gather(mine)
            """
        return loop + """

            if dlp.IS_ROOT then
              local flat = {}
              for rank = 1, all.n do for _, pair in ipairs(all[rank]) do flat[#flat + 1] = pair end end
              table.sort(flat, function(a, b) return a[1] < b[1] end)
              for _, pair in ipairs(flat) do print(pair[1], pair[2]) end
            end
            """
    }
}
