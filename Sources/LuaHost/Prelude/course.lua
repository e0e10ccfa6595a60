-- What the function `collect` of a job may do to the course of it.
local dlp, core = ...

-- Wants no more results: nothing more is begun, and what is under work is given up.
function dlp.stop()
  if core.stop() then return end
  error(
    core.where() .. "dlp.stop() is for the function collect of a job, which sees the results one by one; a loop is left by break", 0)
end
