-- N examples of K turns of the kernel: handout.lua N K. The kernel is in its own file, so that the stock interpreter's plain
-- loop (plain.lua) calls the same function.
local clock = require "clock"
local n, turns = math.tointeger(arg[1]), math.tointeger(arg[2])
local begin

function examples()
  begin = clock.now()
  return n
end

work = assert(loadfile(arg[0]:gsub("[^/]*$", "") .. "kernel.lua"))(turns)

function summarize(results)
  local seconds = clock.now() - begin
  assert(results.n == n and not results.errors and (n == 0 or results[n] ~= nil))
  print(('{"seconds": %.9f}'):format(seconds))
end
