-- The functions of a job whose work is a command for /bin/sh with replacement strings for the example (--each).
local core, command, options = ...
local dlp = dlp
core.load("programs")({}, core)

-- Raises an error without a position in this file, which would not help the user. `result` is what the example has left.
local function fail(message, result)
  error(setmetatable({}, {__tostring = function() return message end, __result = result or false}))
end

-- How the text in the braces, behind a number or a name, changes a word; as in GNU parallel.
local function without_suffix(word) return (word:gsub("%.[^/.]*$", "", 1)) end
local function base(word) return (word:gsub("^.*/", "", 1)) end
local function directory(word)
  local rest = word:gsub("/+$", "")
  if rest == "" then return word == "" and "." or "/" end
  local before = rest:match("^(.*)/")
  if not before then return "." end
  before = before:gsub("/+$", "")
  return before == "" and "/" or before
end
local edits = {
  [""] = function(word) return word end, ["."] = without_suffix, ["/"] = base, ["//"] = directory,
  ["/."] = function(word) return without_suffix(base(word)) end,
}

-- Returns whether the braces are replaced for every kind of example.
local function is_replacement(body)
  if body == "#" or body == "%" or edits[body] then return true end
  return edits[body:match("^%-?%d+([./]*)$")] ~= nil
end

-- Returns whether the shell reads text in this context as words: not in quotes, backquotes, arithmetic or an expansion.
local function is_plain(context) return context == "" or context == ")" end

-- The state of reading a command. `contexts` is what encloses the place, the innermost last: "" at the bottom, a quote, ")" for
-- a subshell, "))" for arithmetic, ")a" for parentheses in arithmetic, "}" for an expansion. It also notes here-documents.
local Reader = {}
Reader.__index = Reader

function Reader:push(context) self.contexts[#self.contexts + 1] = context end
function Reader:pop() self.contexts[#self.contexts] = nil end

function Reader:is_inside(context)
  for _, its in ipairs(self.contexts) do
    if its == context then return true end
  end
  return false
end

-- Returns in what the shell may evaluate a variable's content, quoted or not: arithmetic or an expansion; or nil.
function Reader:evaluation()
  for i = #self.contexts, 1, -1 do
    local context = self.contexts[i]
    if context == "))" or context == ")a" then return "arithmetic" end
    if context == "}" then return "${ }" end
    if context ~= '"' and context ~= "'" then return nil end
  end
end

-- Returns the place if no word can stand here, and what to write instead; or nil.
function Reader:trouble()
  if self.in_document then return "behind the beginning of a here-document", "write printf '%s\\n' {} | ..." end
  if self:is_inside("`") then return "in backquotes", "write $( ) for them" end
end

-- Reads the character at `at`, behind `before` ("" where that is escaped); returns how many more characters belong to it.
function Reader:read(command, at, before)
  local context, c = self.contexts[#self.contexts], command:sub(at, at)
  if context == "'" then
    if c == "'" then self:pop() end
  elseif c == '"' then
    if context == c then self:pop() else self:push(c) end
  elseif c == "`" then
    if context == c then self:pop() else self:push(c) end
  elseif c == "(" and (context ~= '"' or before == "$") then
    if context == "))" or context == ")a" then
      self:push(")a")
    elseif command:sub(at + 1, at + 1) == "(" then
      self:push("))")
      return 1
    else
      self:push(")")
    end
  elseif c == "{" and before == "$" then
    self:push("}")
  elseif context == '"' then
    return 0
  elseif c == "'" then
    if before == "$" then fail("--each: $'...' is read otherwise by different shells; write '...' or \"...\"") end
    if context ~= "}" or not self:is_inside('"') then self:push(c) end
  elseif c == ")" and context == "))" and command:sub(at + 1, at + 1) == ")" then
    self:pop()
    return 1
  elseif c == ")" and (context == ")" or context == ")a") or c == "}" and context == c then
    self:pop()
  elseif is_plain(context) then
    if c == "#" and (at == 1 or before:find("^[%s;&|(]$")) then
      local ending = command:find("\n", at, true)
      self.ends_in_comment = not ending
      return (ending or #command + 1) - at - 1
    elseif c == "<" and before == c then
      self.has_document = true
    elseif c == "\n" and self.has_document then
      self.in_document = true
    end
  end
  return 0
end

-- Returns the command as a list of texts, and of tables for braces that may stand for the example: with the quotes around them,
-- and the reason if no word can stand there. `is_open` is true if a word behind the command would not be read as one.
local function parse(command)
  local reader = setmetatable({contexts = {""}}, Reader)
  local parts, from, at, before = {}, 1, 1, ""
  while at <= #command do
    local c = command:sub(at, at)
    local body = c == "{" and before ~= "$" and command:match("^{([^{}'\"`$()\\\n]*)}", at)
    if body then
      local place, remedy = reader:trouble()
      if place and is_replacement(body) then
        fail(("--each: {%s} stands %s, where no quotes help: %s"):format(body, place, remedy))
      end
      parts[#parts + 1] = command:sub(from, at - 1)
      parts[#parts + 1] = {
        body = body, place = place, remedy = remedy, quote = reader.contexts[#reader.contexts],
        evaluation = reader:evaluation(),
      }
      at = at + #body + 2
      from, before = at, "}"
    elseif c == "\\" and reader.contexts[#reader.contexts] ~= "'" then
      at, before = at + 2, ""
    else
      at = at + 1 + reader:read(command, at, before)
      before = command:sub(at - 1, at - 1)
    end
  end
  parts[#parts + 1] = command:sub(from)
  parts.is_open = #reader.contexts > 1 or reader.has_document or reader.ends_in_comment
  return parts
end

-- A value as a word.
local function text(value)
  if type(value) == "string" then return value end
  if type(value) == "table" or math.type(value) == "float" then return dlp.json.encode(value) end
  return value == nil and "" or tostring(value)
end

-- Returns the words of an example: one for each list, or a single one.
local function words_of(example)
  if type(example) ~= "table" or example[1] == nil and not example.n then return {text(example)} end
  local words = {}
  for i = 1, example.n or #example do words[i] = text(example[i]) end
  return words
end

-- Returns the word as it is written between such quotes in the command that users see.
local function quoted(word, quote)
  if quote == '"' then return (word:gsub('[\\"$`]', "\\%0")) end
  if quote == "'" then return (word:gsub("'", "'\\''")) end
  return dlp.quote(word)
end

-- Returns the same for the command that is run. There a variable holds the word. The shell does not parse a variable's value
-- again, so the word stays one word even where this file has misread the command.
local function variable(word, quote, values)
  local name = ("dlp_%d"):format(#values + 1)
  values[#values + 1] = ("%s=%s\n"):format(name, dlp.quote(word))
  if quote == '"' then return ("${%s}"):format(name) end
  if quote == "'" then return ("'\"${%s}\"'"):format(name) end
  return ('"${%s}"'):format(name)
end

-- Returns the words that replace the braces, or nil if they mean nothing for this example.
local function replacement(body, example, index)
  if body == "#" then return {tostring(index)} end
  if body == "%" then return {tostring(core.rank + 1)} end
  local words
  if edits[body] then
    words = words_of(example)
  else
    local number = body:match("^(%-?%d+)[./]*$")
    if number then
      local all = words_of(example)
      local place = tonumber(number)
      words = {all[place < 0 and #all + 1 + place or place]}
      body = body:sub(#number + 1)
    elseif type(example) == "table" then
      local name = example[body] ~= nil and body or body:match("^(.-)[./]*$")
      if example[name] ~= nil then words = {text(example[name])} end
      body = body:sub(#name + 1)
    end
  end
  local edit = edits[body]
  if not edit or not words or #words == 0 then return nil end
  for i, word in ipairs(words) do words[i] = edit(word) end
  return words
end

local parts = parse(command)

-- Returns the command for an example: as it is shown, and as it is run.
local function line_for(example, index)
  local shown, run, values, is_replaced = {}, {}, {}, false

  local function add(word, quote, following)
    local is_harmless = word:find("^[A-Za-z0-9@%%+:,./_-]+$")
    -- A number before < or > would be a descriptor.
    if is_harmless and word:find("%d$") and following:find("^[<>]") and quote ~= '"' and quote ~= "'" then
      word = dlp.quote(word)
    end
    shown[#shown + 1] = is_harmless and word or quoted(word, quote)
    run[#run + 1] = is_harmless and word or variable(word, quote, values)
  end

  local function add_text(text)
    shown[#shown + 1] = text
    run[#run + 1] = text
  end

  for i, part in ipairs(parts) do
    local words = type(part) == "table" and replacement(part.body, example, index)
    if words then
      is_replaced = true
      if part.place then
        fail(("--each: {%s} stands %s, where no quotes help: %s"):format(part.body, part.place, part.remedy))
      end
      for place, word in ipairs(words) do
        if part.evaluation and not word:find("^%-?[%w_.]+$") then
          fail(("--each: {%s} stands in %s, where the shell might evaluate %q"):format(part.body, part.evaluation, word))
        end
        if place > 1 then add_text(" ") end
        add(word, part.quote, place == #words and parts[i + 1] or "")
      end
    else
      add_text(type(part) == "table" and "{" .. part.body .. "}" or part)
    end
  end
  if not is_replaced then
    if parts.is_open then
      fail("--each: say by {} where the example is to stand: behind the end of this command it would not be a word")
    end
    shown, run = {(table.concat(shown):gsub("%s+$", ""))}, {(table.concat(run):gsub("%s+$", ""))}
    for _, word in ipairs(words_of(example)) do
      add_text(" ")
      add(word, "", "")
    end
  end
  return table.concat(shown), table.concat(values) .. table.concat(run)
end

function work(example, index)
  local line, script = line_for(example, index)
  if options.is_dry then return line end
  local outcome = dlp.run{"/bin/sh", "-c", "--", script}
  local result = {
    example = example, status = outcome.status, seconds = outcome.seconds, cpu = outcome.cpu, peak = outcome.peak,
    stdout = outcome.stdout, stderr = outcome.stderr,
  }
  local message = core.programs.complaint(outcome, #line > 200 and line:sub(1, 200) .. "..." or line)
  if not message then return result end
  fail(message, result)
end

local function write(stream, text, tag)
  if text == "" then return end
  if tag then
    text = text:gsub("[^\n]*\n?", function(line) return line ~= "" and tag .. line or nil end)
    if text:sub(-1) ~= "\n" then text = text .. "\n" end
  end
  local is_written, message = stream:write(text)
  if is_written then is_written, message = stream:flush() end
  if not is_written then core.fail_output("what a command wrote cannot be written: " .. message) end
end

local function show(result, example)
  if options.is_dry then return write(io.stdout, result .. "\n") end
  local tag = options.has_tags and table.concat(words_of(example), " ") .. "\t" or nil
  write(io.stdout, result.stdout, tag)
  write(io.stderr, result.stderr, tag)
end

-- Shows and keeps what a command has written. Without a result, its rank was lost or its time was up.
function collect(result, index, example)
  if options.keeps_outputs then
    if result then
      core.keep_outputs(index, result.stdout, result.stderr, result.status)
    else
      core.keep_outputs(index)
    end
  end
  if result then show(result, example) end
end
