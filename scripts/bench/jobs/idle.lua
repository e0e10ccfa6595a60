-- COUNT examples that sleep for LENGTH seconds each, so all CPU time is the cost of waiting: idle.lua COUNT LENGTH
local clock = require "clock"
function examples() return math.tointeger(arg[1]) end
function work() clock.sleep(tonumber(arg[2])) end
function summarize() end
