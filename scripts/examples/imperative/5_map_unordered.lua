-- A map whose results come back to the root as they are made, in whatever order; the index says which is which.
--
--     dlp-lua 5_map_unordered.lua                     one process
--     ameexec -np 5 dlp-lua 5_map_unordered.lua       five

local dlp = require "dlp"

local word = "hello"

local function letter(position)
  os.execute(("sleep %.2f"):format(math.random() * 0.2)) -- Stands for work that takes its time.
  print(("rank %d does %d"):format(dlp.RANK, position))
  return word:sub(position, position)
end

-- All ranks run the loop; its body runs on the root alone.
local letters = {}
for result, index in dlp.map_unordered(letter, {1, 2, 3, 4, 5}) do
  letters[index] = result
end

if dlp.IS_ROOT then
  print("result: " .. table.concat(letters))
end
