-- Start, one gather, end. Prints in KB the peak resident memory of the root, the largest peak of the other ranks, and
-- the largest amount that one of these shares with no other process.
local function sum(file, pattern)
  local total = 0
  for line in io.lines("/proc/self/" .. file) do total = total + (tonumber(line:match(pattern)) or 0) end
  return total
end

local function resident() return sum("status", "^VmHWM:%s*(%d+)") end

local all = dlp.gather {resident(), sum("smaps_rollup", "^Private_%a+:%s*(%d+)")}
if dlp.IS_ROOT then
  local largest, own = 0, 0
  for rank = 2, all.n do largest, own = math.max(largest, all[rank][1]), math.max(own, all[rank][2]) end
  print(('{"root": %d, "rank": %d, "own": %d}'):format(resident(), largest, own))
end
