-- COUNT examples that sleep for LENGTH seconds each, so that all CPU time is what waiting costs: idle.lua COUNT LENGTH
local clock = require "clock"
function examples() return math.tointeger(arg[1]) end
function work() clock.sleep(tonumber(arg[2])) end
function summarize() end
