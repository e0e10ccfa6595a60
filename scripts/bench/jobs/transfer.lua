-- Sends a value between ranks: transfer.lua gather|bcast|map KIND SIZE REPEATS. Prints the median of the seconds.
local clock = require "clock"
local payload = dofile(arg[0]:gsub("[^/]*$", "") .. "payload.lua")
local operation, pieces = arg[1], 16
local value, bytes = payload(arg[2], arg[3])
local times = {}

local function piece() return value end

-- Each operation returns the number of bytes that travelled.
local operations = {
  gather = function()
    local all = dlp.gather(value)
    assert(not dlp.IS_ROOT or #all[dlp.SIZE] == #value)
    return bytes * (dlp.SIZE - 1)
  end,
  bcast = function()
    local copy = dlp.bcast(dlp.IS_ROOT and value or nil)
    assert(#copy == #value)
    dlp.barrier()
    return bytes * (dlp.SIZE - 1)
  end,
  map = function()
    local all = dlp.map(piece, pieces, {chunk = 1})
    assert(not dlp.IS_ROOT or #all[pieces] == #value)
    return bytes * pieces
  end,
}

local travelled
for _ = 1, tonumber(arg[4]) do
  collectgarbage()
  dlp.barrier()
  local begin = clock.now()
  travelled = operations[operation]()
  times[#times + 1] = clock.now() - begin
end
if dlp.IS_ROOT then
  table.sort(times)
  print(('{"seconds": %.9f, "bytes": %d}'):format(times[(#times + 1) // 2], travelled))
end
