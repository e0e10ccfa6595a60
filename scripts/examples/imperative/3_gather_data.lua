-- A gather: the root gets a table with one value per rank, that of rank r at r + 1; the others get nil.
--
--     dlp-lua 3_gather_data.lua                     one process
--     ameexec -np 3 dlp-lua 3_gather_data.lua       three

local dlp = require "dlp"

-- Ranks are compared, never tested: in Lua 0 is true, so a condition that is nothing but dlp.RANK would always hold.
local word = "!"
if dlp.RANK == 0 then
  word = "hello"
elseif dlp.RANK == 1 then
  word = "world"
end

local gathered = dlp.gather(word)

local text = gathered and table.concat(gathered, " ", 1, gathered.n) or "nil"
print(("rank=%d, size=%d, gathered: %s"):format(dlp.RANK, dlp.SIZE, text))
