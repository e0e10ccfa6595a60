-- A broadcast: what the root has, every rank gets, with the shape and the number types that it had.
--
--     dlp-lua 2_broadcast_data.lua                     one process
--     ameexec -np 3 dlp-lua 2_broadcast_data.lua       three

local dlp = require "dlp"

local data
if dlp.IS_ROOT then
  data = {
    numbers = {7, 2.72, 1e300},
    words = {"abc", "xyz"},
  }
end

data = dlp.bcast(data)

local numbers, words = table.concat(data.numbers, " "), table.concat(data.words, " ")
print(("rank=%d, size=%d, numbers: %s, words: %s"):format(dlp.RANK, dlp.SIZE, numbers, words))
