-- Start, one gather, end. Says the largest resident memory of the root and of the other ranks in KB.
local function resident()
  for line in io.lines("/proc/self/status") do
    local size = line:match("^VmHWM:%s*(%d+)")
    if size then return tonumber(size) end
  end
end

local all = dlp.gather(resident())
if dlp.IS_ROOT then
  local largest = 0
  for rank = 2, all.n do largest = math.max(largest, all[rank]) end
  print(('{"root": %d, "rank": %d}'):format(resident(), largest))
end
