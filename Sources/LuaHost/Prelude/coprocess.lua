-- dlp.coprocess, on top of the part written in C: the words of a program, and the meaning of the lines sent both ways.
--
-- Each line is a value as JSON. An answer that begins with `!` is an error; its text follows the `!`, as JSON.
local dlp, core = ...
local programs, c = core.programs, core.open_coprocess()

-- Returns the directory of the files that workers need, or nil: below where dlp-lua was installed, or in its source tree.
local function other_side()
  local own = (c.own_path() or ""):match("^(.*)/[^/]*$")
  local function above(levels) return own and own:match("^(.*)" .. ("/[^/]*"):rep(levels) .. "$") end
  for levels, path in pairs{[1] = "/share/dlp-lua/coprocess", [3] = "/scripts/coprocess"} do
    local directory = above(levels) and above(levels) .. path
    local file = directory and io.open(directory .. "/dlp_worker.py")
    if file then
      file:close()
      return directory
    end
  end
end

-- Appends that directory to PYTHONPATH unless the script removes it, and sets DLP_WORKER_R unless the script does.
local function complete(entries)
  local directory = other_side()
  if not directory then return end
  if entries.PYTHONPATH ~= false then
    local path = entries.PYTHONPATH and entries.PYTHONPATH:sub(#"PYTHONPATH=" + 1) or os.getenv("PYTHONPATH") or ""
    entries.PYTHONPATH = "PYTHONPATH=" .. (path ~= "" and path .. ":" or "") .. directory
  end
  if entries.DLP_WORKER_R == nil then entries.DLP_WORKER_R = "DLP_WORKER_R=" .. directory .. "/dlp_worker.R" end
end

-- Returns a coprocess, or nil and what is wrong. Its program is started by the first call.
function core.new_coprocess(command)
  local words, message = programs.words_of(command, "cwd env timeout")
  if not words then return nil, message end
  local entries, cwd, timeout
  entries, message = programs.environment_of(command.env)
  if message then return nil, message end
  cwd, message = programs.directory_of(command.cwd)
  if message then return nil, message end
  timeout, message = programs.timeout_of(command.timeout)
  if message then return nil, message end
  entries = entries or {}
  complete(entries)
  return c.new{words = words, env = entries, cwd = cwd, timeout = timeout, given = command}
end

-- Returns the name of a coprocess for messages: the program and its first argument, as `python3 worker.py`.
local function name_of(definition)
  local words = definition.words
  local first = words[2] and #words[2] <= 60 and not words[2]:find("%c") and " " .. words[2]
  return words[1] .. (first or "")
end

-- Sends a value and returns the answer; or nil and a message.
local function ask(self, value)
  local definition = c.definition(self)
  local name = name_of(definition)
  local line, message = core.encode_line(value)
  if not line then return nil, ("%s: %s"):format(name, message) end
  local answer, status, signal, how =
    c.ask(self, line .. "\n", definition.timeout, definition.words, definition.cwd, definition.env)
  if answer == nil then
    -- The message from C about a program that does not start already has its name.
    return nil, (status:find("^wrote") or status:find("^answered")) and name .. " " .. status or status
  elseif not answer then
    if how == "silent" then return nil, name .. " has closed its standard input or output, and does not answer" end
    local outcome = {status = status, signal = signal, timed_out = how == "late"}
    message = programs.complaint(outcome, name, definition.timeout)
    return nil, (message or name .. " ended with status 0") .. (how == "late" and "" or ", and has not answered")
  end
  local is_error = answer:byte() == 33
  local back
  back, message = c.decode(is_error and answer:sub(2) or answer)
  if not message and not is_error then return back end
  if not message then return nil, ("%s: %s"):format(name, back) end
  c.close(self)
  local shown = programs.shown(#answer > 60 and answer:sub(1, 60) .. "..." or answer)
  return nil, ("%s: its answer is no JSON: %s: %s"):format(name, message, shown)
end

function c.type:__call(...)
  local count = select("#", ...)
  if count > 1 then error(("coprocess: it takes one value, not %d; put them into a table"):format(count), 2) end
  local value, message = ask(self, (...))
  if message then error(message, 2) end
  return value
end

-- `close` ends the program and waits for its end. The next call starts it again.
local methods = {close = c.close}
c.type.__index = methods
c.type.__close = function(self) c.close(self) end
c.type.__name = "dlp.coprocess"
function c.type:__tostring() return ("dlp.coprocess: %s"):format(name_of(c.definition(self))) end
