-- N empty examples, without the module clock: empty.lua N
function examples() return math.tointeger(arg[1]) end
function work(example) return example end
function summarize(results) assert(results.n == math.tointeger(arg[1])) end
