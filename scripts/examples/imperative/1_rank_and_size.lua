-- Every rank runs the whole script and knows its place: prints one line per rank, in any order.
--
--     dlp-lua 1_rank_and_size.lua                     one process
--     ameexec -np 3 dlp-lua 1_rank_and_size.lua       three

local dlp = require "dlp"

print(("rank=%d, size=%d"):format(dlp.RANK, dlp.SIZE))
