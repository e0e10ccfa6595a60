-- Programs started per second: N times a program that does nothing, or gzip of each file of a directory.
--
--     dlp-lua programs.lua N | DIRECTORY

local count = math.tointeger(tonumber(arg[1]))
local run = dlp.run

function examples()
  if count then return count end
  local list = {}
  for name in run{"ls", arg[1], check = true}.stdout:gmatch("[^\n]+") do list[#list + 1] = arg[1] .. "/" .. name end
  return list
end

if count then
  function work() run{"true", check = true} end
else
  function work(file) run{"gzip", "-c", file, stdout = "discard", check = true} end
end

function summarize() end
