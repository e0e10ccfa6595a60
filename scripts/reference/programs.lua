-- The module's functions for programs, pauses and the clock, by a shell. A program's processor time and memory are not
-- known here, and its `timeout` is not heeded.

local dlp = ...

dlp.time = os.time

function dlp.sleep(seconds) os.execute(("sleep %f"):format(seconds)) end

function dlp.quote(text) return "'" .. tostring(text):gsub("'", "'\\''") .. "'" end

-- A file that is gone when it has been read.
local function draft(text)
  local path = os.tmpname()
  local file = io.open(path, "wb")
  file:write(text or "")
  file:close()
  return path
end

local function taken(path)
  local file = io.open(path, "rb")
  local text = file:read("a")
  file:close()
  os.remove(path)
  return text
end

function dlp.run(command)
  local began, files = os.time(), {}

  -- Where an output goes, for the shell.
  local function target(name, descriptor)
    local output = command[name] or "capture"
    if output == "inherit" then return "" end
    if output == "stdout" then return " 2>&1" end
    local path = output == "discard" and "/dev/null" or type(output) == "table" and output.file
    if not path then
      path = draft()
      files[name] = path
    end
    return (" %d>%s"):format(descriptor, dlp.quote(path))
  end

  local words, input = {command.cwd and "cd " .. dlp.quote(command.cwd) .. " && exec" or "exec"}, draft(command.stdin)
  if command.env then
    words[#words + 1] = "env"
    local set = {}
    for name, value in pairs(command.env) do
      if value then set[#set + 1] = dlp.quote(name .. "=" .. value) else words[#words + 1] = "-u " .. dlp.quote(name) end
    end
    words[#words + 1] = table.concat(set, " ")
  end
  for _, word in ipairs(command) do words[#words + 1] = dlp.quote(word) end
  -- Files are opened before the directory changes.
  local outputs = target("stdout", 1) .. target("stderr", 2)
  local text = "exec <" .. dlp.quote(input) .. outputs .. "; " .. table.concat(words, " ")
  io.stdout:flush()
  local _, how, number = os.execute(text)
  os.remove(input)
  local outcome = {
    status = how == "exit" and number or 128 + number, signal = how == "signal" and number or nil,
    stdout = files.stdout and taken(files.stdout), stderr = files.stderr and taken(files.stderr),
    seconds = os.time() - began,
  }
  if command.check and outcome.status ~= 0 then
    error(("run: %s ended with status %d: %s"):format(command[1], outcome.status, outcome.stderr or ""), 2)
  end
  return outcome
end
