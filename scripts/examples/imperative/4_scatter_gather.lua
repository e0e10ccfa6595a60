-- Work split by hand: rank r takes the elements r + 1, r + 1 + size, ... of a list that every rank has, so nothing is
-- sent before the gather. `for value, index in dlp.split_round_robin(workload) do` is the same loop ready-made.
--
--     dlp-lua 4_scatter_gather.lua                     one process
--     ameexec -np 3 dlp-lua 4_scatter_gather.lua       three

local dlp = require "dlp"

local workload = {10, 11, 12, 13}

local mine = {}
for index = dlp.RANK + 1, #workload, dlp.SIZE do
  print(("rank=%d, size=%d, element=%d"):format(dlp.RANK, dlp.SIZE, workload[index]))
  mine[#mine + 1] = 2 * workload[index]
end

local splits = dlp.gather(mine)

if dlp.IS_ROOT then
  local flat = {}
  for rank = 0, dlp.SIZE - 1 do
    for place, result in ipairs(splits[rank + 1]) do
      flat[rank + 1 + (place - 1) * dlp.SIZE] = result
    end
  end
  print("results: " .. table.concat(flat, " "))
end
