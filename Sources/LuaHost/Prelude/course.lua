-- The functions with which `collect` changes the course of a job: dlp.stop and dlp.add; and dlp.LATER for iterators.
local dlp, core = ...

local function refuse(text) error(core.where() .. text, 0) end

-- Ends the job early: nothing more is begun, and examples under work are given up.
function dlp.stop()
  if core.stop() then return end
  refuse("dlp.stop() is for the function collect of a job, which sees the results one by one; a loop is left by break")
end

-- What an iterator over examples returns when it has nothing to propose before another result has been collected. `core`
-- keeps the table too, so its address stays valid as long as the module exists.
core.LATER = setmetatable({}, {__name = "dlp.LATER", __tostring = function() return "dlp.LATER" end})
dlp.LATER = core.LATER
core.note_later(dlp.LATER)

-- Adds examples to the end of the list.
function dlp.add(...)
  if core.add_examples(...) then return end
  refuse("dlp.add() is for the function collect of a job: only there a list grows")
end
