-- The functions of a job whose work is a command for /bin/sh, in which replacement strings stand for the example.
local core, command, options = ...
local dlp = dlp
core.load("programs")({}, core)

-- Raises an error that says all: where in this file it comes from helps nobody. What the example has left goes with it.
local function fail(message, result)
  error(setmetatable({}, {__tostring = function() return message end, __result = result or false}))
end

-- What is made of a word by what stands in the braces, behind a number or a name; as GNU parallel has it.
local function without_suffix(word) return (word:gsub("%.[^/.]+$", "", 1)) end
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

-- Whether the braces mean the example, whatever that is.
local function is_replacement(body)
  if body == "#" or body == "%" or edits[body] then return true end
  return edits[body:match("^%-?%d+([./]*)$")] ~= nil
end

-- The command as a list of texts, and of tables for what may stand for the example, with the quotes around each.
local function parse(command)
  local parts, quotes, backquotes, from, at = {}, {""}, 0, 1, 1
  local has_document, in_document = false, false
  while at <= #command do
    local quote, c, before = quotes[#quotes], command:sub(at, at), command:sub(at - 1, at - 1)
    -- ${name} is the shell's.
    local body = c == "{" and before ~= "$" and command:match("^{([^{}'\"`$()\\\n]*)}", at)
    if body and (backquotes > 0 or in_document) then
      if is_replacement(body) then
        fail(("--each: {%s} stands %s, where no quotes help: %s"):format(body,
          in_document and "behind the beginning of a here-document" or "in backquotes",
          in_document and "write printf '%s\\n' {} | ..." or "write $( ) for them"))
      end
      body = nil
    end
    if body then
      parts[#parts + 1] = command:sub(from, at - 1)
      parts[#parts + 1] = {body = body, quote = quote}
      at = at + #body + 2
      from = at
    else
      if c == quote then
        quotes[#quotes] = nil
        if c == "`" then backquotes = backquotes - 1 end
      elseif quote == "'" then
        -- Everything up to the next is as it stands.
      elseif c == "\\" then
        at = at + 1
      elseif c == '"' or c == "`" or c == "'" and quote ~= '"' then
        quotes[#quotes + 1] = c
        if c == "`" then backquotes = backquotes + 1 end
      elseif c == "(" and (quote ~= '"' or before == "$") then
        quotes[#quotes + 1] = ")"
      elseif c == "<" and before == "<" and quote == "" then
        has_document = true
      elseif c == "\n" and has_document then
        in_document = true
      end
      at = at + 1
    end
  end
  parts[#parts + 1] = command:sub(from)
  return parts
end

-- A value as a word.
local function text(value)
  if type(value) == "string" then return value end
  if type(value) == "table" then return dlp.json.encode(value) end
  return value == nil and "" or tostring(value)
end

-- All words of an example: one for each list, or one.
local function words_of(example)
  if type(example) ~= "table" or example[1] == nil then return {text(example)} end
  local words = {}
  for i, value in ipairs(example) do words[i] = text(value) end
  return words
end

-- The word as the shell is to read it between such quotes.
local function quoted(word, quote)
  if word:find("^[A-Za-z0-9@%%+:,./_-]+$") then return word end
  if quote == '"' then return (word:gsub('[\\"$`]', "\\%0")) end
  if quote == "'" then return (word:gsub("'", "'\\''")) end
  return dlp.quote(word)
end

-- The words that braces stand for, or nil where they mean nothing for such an example.
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

-- The command for an example.
local function line_for(example, index)
  local line, is_replaced = {}, false
  for i, part in ipairs(parts) do
    if type(part) == "table" then
      local words = replacement(part.body, example, index)
      is_replaced = is_replaced or words ~= nil
      for place, word in ipairs(words or {}) do words[place] = quoted(word, part.quote) end
      part = words and table.concat(words, " ") or "{" .. part.body .. "}"
    end
    line[i] = part
  end
  if not is_replaced then
    for _, word in ipairs(words_of(example)) do line[#line + 1] = " " .. quoted(word, "") end
  end
  return table.concat(line)
end

function work(example, index)
  local line = line_for(example, index)
  if options.is_dry then return line end
  local outcome = dlp.run{"/bin/sh", "-c", "--", line}
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
  if not is_written then fail("what a command wrote cannot be written: " .. message) end
end

local function show(result, example)
  if options.is_dry then return write(io.stdout, result .. "\n") end
  local tag = options.has_tags and table.concat(words_of(example), " ") .. "\t" or nil
  write(io.stdout, result.stdout, tag)
  write(io.stderr, result.stderr, tag)
end

local waiting, following = {}, 1

-- Shows what commands have written, in the order of the examples; one that has no result has lost its rank, or its time.
function collect(result, index, example)
  waiting[index] = {result = result, example = example}
  while waiting[following] do
    local its = waiting[following]
    waiting[following] = nil
    following = following + 1
    if its.result then show(its.result, its.example) end
  end
end
