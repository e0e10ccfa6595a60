-- The plain loop of the stock interpreter, the limit for handing out Lua functions: plain.lua N K.
local clock = require "clock"
local n, turns = math.tointeger(arg[1]), math.tointeger(arg[2])
local work = assert(loadfile(arg[0]:gsub("[^/]*$", "") .. "kernel.lua"))(turns)
local begin = clock.now()
local results = {}
for i = 1, n do results[i] = work(i) end
print(('{"seconds": %.9f}'):format(clock.now() - begin))
