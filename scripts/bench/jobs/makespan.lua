-- One example for each line of FILE, its length in seconds: makespan.lua FILE spin|sleep [known]
local clock = require "clock"
local lengths = {}
for line in io.lines(arg[1]) do lengths[#lengths + 1] = tonumber(line) end
local pass, begin = clock[arg[2]]

function examples()
  begin = clock.now()
  return lengths
end

if arg[3] == "known" then
  function cost(length) return length end
end

function work(length)
  pass(length)
  return length
end

function summarize(results)
  local seconds = clock.now() - begin
  assert(results.n == #lengths and not results.errors)
  print(('{"seconds": %.9f}'):format(seconds))
end
