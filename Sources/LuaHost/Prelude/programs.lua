-- The functions of the module dlp for programs, pauses and the clock. They use functions in `core` that are written in C.
local dlp, core = ...

local OPTIONS = "stdin cwd env stdout stderr check timeout"
local OUTPUTS = 'expected "capture", "inherit", "discard" or {file = path}'
local SIGNALS = {
  [1] = "SIGHUP", [2] = "SIGINT", [3] = "SIGQUIT", [4] = "SIGILL", [6] = "SIGABRT", [7] = "SIGBUS", [8] = "SIGFPE",
  [9] = "SIGKILL", [11] = "SIGSEGV", [13] = "SIGPIPE", [15] = "SIGTERM", [24] = "SIGXCPU", [25] = "SIGXFSZ",
}

local function shown(value) return type(value) == "string" and ("%q"):format(value) or tostring(value) end

-- Returns a string for a program; or nil and what is wrong with `what`. In a program a string ends at a NUL byte.
local function text(value, what)
  if type(value) == "number" then value = tostring(value) end
  if type(value) ~= "string" then return nil, ("%s is %s; expected a string or a number"):format(what, shown(value)) end
  if value:find("\0", 1, true) then return nil, what .. " has a NUL byte in it" end
  return value
end

local function known(name, names)
  if type(name) == "string" and (" " .. names .. " "):find(" " .. name .. " ", 1, true) then return true end
  local meant = type(name) == "string" and core.nearest(name, names)
  return false, meant and ("; is %s meant?"):format(meant) or ""
end

-- Returns the words of a command as strings; or nil and what is wrong. `options` are the names of other fields that it may have.
local function words_of(command, options)
  if type(command) ~= "table" then
    return nil, ('expected a table {"program", "argument", ...}, got %s'):format(shown(command))
  end
  local words = {}
  for name in next, command do
    -- An index that is too high has a hole before it.
    if math.type(name) ~= "integer" then
      local is_known, guess = known(name, options)
      if not is_known then return nil, ("there is no option %s%s"):format(tostring(name), guess) end
    elseif name < 1 or name > #words and command[name - 1] == nil and name > 1 then
      return nil, ("the word before [%d] is nil"):format(name)
    end
  end
  for i = 1, #command do
    local word, message = text(command[i], i == 1 and "the program" or ("argument %d"):format(i - 1))
    if not word then return nil, message end
    words[i] = word
  end
  if not words[1] or words[1] == "" then return nil, "which program? The first element of the table is its name" end
  return words
end

-- Returns the entries of an environment by name, false for variables to remove; or nil and what is wrong.
local function environment_of(env)
  if env == nil then return nil end
  if type(env) ~= "table" then return nil, ("env is %s; expected a table of names and values"):format(shown(env)) end
  local entries = {}
  for name, value in next, env do
    if type(name) ~= "string" or name == "" or name:find("[=%z]") then
      return nil, ("env: %s cannot be the name of a variable"):format(shown(name))
    end
    local message
    if value then value, message = text(value, "env." .. name) end
    if message then return nil, message end
    entries[name] = value and name .. "=" .. value
  end
  return entries
end

-- Returns the directory in which a program begins, or nil if none is given; or nil and what is wrong.
local function directory_of(cwd)
  if cwd ~= nil then return text(cwd, "cwd") end
end

-- Returns a program's timeout in seconds, or nil if none is given; or nil and what is wrong.
local function timeout_of(timeout)
  if timeout == nil or type(timeout) == "number" and timeout > 0 then return timeout end
  return nil, ("timeout must be a number of seconds above 0, not %s"):format(shown(timeout))
end

-- Returns where an output goes: a word and nil, or nil and the path of a file. The third value says what is wrong.
local function output_of(output, name)
  if output == nil or output == "capture" or output == "inherit" or output == "discard" then return output end
  if output == "stdout" and name == "stderr" then return output end
  if type(output) ~= "table" then
    local is_known, guess = known(output, "capture inherit discard" .. (name == "stderr" and " stdout" or ""))
    return nil, nil, ("%s is %s%s"):format(name, shown(output), guess ~= "" and guess or "; " .. OUTPUTS)
  end
  for key in next, output do
    if key ~= "file" then return nil, nil, ("%s: there is no option %s; %s"):format(name, tostring(key), OUTPUTS) end
  end
  local path, message = text(output.file, name .. ".file")
  return nil, path, message
end

-- Returns the last lines of a text, for a message.
local function tail(text)
  text = text:gsub("%s+$", "")
  local short = text:sub(-1000)
  if #short < #text then short = short:gsub("^[^\n]*\n", "", 1) end
  local lines = {}
  for line in short:gmatch("[^\n]+") do lines[#lines + 1] = line end
  if #lines == 0 then return "" end
  if #lines == 1 then return ": " .. lines[1] end
  return "; the end of what it said:\n  " .. table.concat(lines, "\n  ", math.max(1, #lines - 9))
end

-- Returns why a program's outcome is no success; or nil if it is one.
local function complaint(outcome, program, timeout)
  local how
  if outcome.timed_out then
    how = ("took longer than its timeout, %s s"):format(timeout)
  elseif outcome.signal then
    local name = SIGNALS[outcome.signal]
    how = ("was ended by signal %d%s"):format(outcome.signal, name and (" (%s)"):format(name) or "")
  elseif outcome.status ~= 0 then
    how = ("ended with status %d"):format(outcome.status)
  else
    return nil
  end
  return program .. " " .. how .. tail(outcome.stderr or outcome.stdout or "")
end

-- Does what dlp.run does, but raises no error: returns the outcome, or nil and a message.
local function run(command)
  local words, message = words_of(command, OPTIONS)
  if not words then return nil, message end
  local input, cwd, env = command.stdin, nil, nil
  if input ~= nil and type(input) ~= "string" then return nil, ("stdin is %s; expected a string"):format(shown(input)) end
  cwd, message = directory_of(command.cwd)
  if message then return nil, message end
  env, message = environment_of(command.env)
  if message then return nil, message end
  local stdout, stdout_file, stderr, stderr_file
  stdout, stdout_file, message = output_of(command.stdout, "stdout")
  if message then return nil, message end
  stderr, stderr_file, message = output_of(command.stderr, "stderr")
  if message then return nil, message end
  local check, timeout = command.check, nil
  if check ~= nil and type(check) ~= "boolean" then
    return nil, ("check must be true or false, not %s"):format(shown(check))
  end
  timeout, message = timeout_of(command.timeout)
  if message then return nil, message end

  local outcome = {}
  local status, signal, late
  status, signal, outcome.stdout, outcome.stderr, outcome.seconds, outcome.cpu, outcome.peak, late =
    core.run(words, input, cwd, env, stdout, stdout_file, stderr, stderr_file, timeout)
  if not status then return nil, signal end
  outcome.status, outcome.signal, outcome.timed_out = status, signal, late or nil
  message = check and complaint(outcome, words[1], timeout)
  if message then return nil, message end
  return outcome
end

core.programs = {
  words_of = words_of, environment_of = environment_of, directory_of = directory_of, timeout_of = timeout_of,
  complaint = complaint, shown = shown,
}

-- Starts a program without a shell, and waits for it.
function dlp.run(command)
  if not core.run then error("run: under --sandbox there are no programs", 2) end
  local outcome, message = run(command)
  if not outcome then error("run: " .. message, 2) end
  return outcome
end

-- Returns a program that lives on between calls. The code for it is loaded when it is used, since few jobs need it.
function dlp.coprocess(command)
  if not core.open_coprocess then error("coprocess: under --sandbox there are no programs", 2) end
  local coprocess, message = core.new_coprocess(command)
  if not coprocess then error("coprocess: " .. message, 2) end
  return coprocess
end

function core.new_coprocess(command)
  core.load("coprocess")(dlp, core)
  return core.new_coprocess(command)
end

-- Returns the seconds since 1970, with a fraction.
function dlp.time() return core.time() end

-- Sleeps for some seconds.
function dlp.sleep(seconds)
  if type(seconds) ~= "number" or not (seconds >= 0) then
    error(("sleep: expected a number of seconds from 0 on, got %s"):format(shown(seconds)), 2)
  end
  core.sleep(seconds)
end

-- Returns any text as one word for /bin/sh.
function dlp.quote(value)
  local word, message = text(value, "the text")
  if not word then error("quote: " .. message, 2) end
  return "'" .. word:gsub("'", "'\\''") .. "'"
end
