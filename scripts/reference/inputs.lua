-- The module's functions for data: JSON, files, grids. Mistakes in the data are errors, but say little of where they are.

local dlp, encode = ...

-- JSON ----------------------------------------------------------------------------------------------------------------

local letters = {b = "\b", f = "\f", n = "\n", r = "\r", t = "\t"}

local function unescaped(text)
  text = text:gsub("\\u([dD][89abAB]%x%x)\\u([dD][c-fC-F]%x%x)", function(high, low)
    return utf8.char(0x10000 + ((tonumber(high, 16) & 0x3ff) << 10) + (tonumber(low, 16) & 0x3ff))
  end)
  return (text:gsub("\\(.)(%x?%x?%x?%x?)", function(letter, digits)
    if letter == "u" then return utf8.char(tonumber(digits, 16)) end
    return (letters[letter] or letter) .. digits
  end))
end

local value

local function string_at(text, place)
  local position = place + 1
  while true do
    local found = assert(text:find('["\\]', position), "a string does not end")
    if text:byte(found) == 34 then return unescaped(text:sub(place + 1, found - 1)), found + 1 end
    position = found + 2
  end
end

local function number_at(text, place)
  local figures = text:match("^-?%d+%.?%d*[eE]?[+-]?%d*", place)
  if not figures then error("no JSON at " .. place, 0) end
  -- What has more than 64 bits is a float, as for Lua.
  return tonumber(figures), place + #figures
end

-- The members of what is between brackets, one after another, each put by `put`.
local function members(text, place, close, put)
  place = text:find("%S", place + 1)
  if text:sub(place, place) == close then return place + 1 end
  while true do
    place = text:find("%S", put(place))
    local mark = text:sub(place, place)
    if mark == close then return place + 1 end
    if mark ~= "," then error("no JSON at " .. place, 0) end
    place = text:find("%S", place + 1)
  end
end

function value(text, place)
  place = text:find("%S", place)
  local mark = place and text:sub(place, place)
  local result = {}
  if mark == '"' then return string_at(text, place) end
  if mark == "[" then
    local count, has_hole = 0, false
    local behind = members(text, place, "]", function(at)
      count = count + 1
      result[count], at = value(text, at)
      has_hole = has_hole or result[count] == nil
      return at
    end)
    if has_hole then result.n = count end
    return result, behind
  elseif mark == "{" then
    return result, members(text, place, "}", function(at)
      local key
      key, at = string_at(text, at)
      result[key], at = value(text, assert(text:match("^%s*:()", at)))
      return at
    end)
  end
  for word, meaning in pairs {["true"] = true, ["false"] = false} do
    if text:sub(place, place + #word - 1) == word then return meaning, place + #word end
  end
  if text:sub(place, place + 3) == "null" then return nil, place + 4 end
  return number_at(text, place)
end

dlp.json = {
  encode = encode,
  decode = function(text)
    local result, behind = value(text, 1)
    if text:find("%S", behind) then error("no JSON at " .. behind, 0) end
    return result
  end,
}

-- Files ---------------------------------------------------------------------------------------------------------------

-- What gives the elements of a list one by one, with their numbers, and all that are left.
local function reader(list)
  local position = 0
  local function step()
    position = position + 1
    return list[position], position
  end
  return setmetatable({all = function() return table.move(list, position + 1, #list, 1, {}) end}, {__call = step})
end

local function contents(path)
  local file <close> = assert(io.open(path, "rb"))
  return file:read("a")
end

local function lines(path)
  local list = {}
  for line in contents(path):gmatch("([^\n]*)\n?") do list[#list + 1] = line end
  -- Behind the last newline the pattern finds one more, which is empty.
  if list[#list] == "" then list[#list] = nil end
  return list
end

function dlp.lines(path) return reader(lines(path)) end

function dlp.jsonl(path)
  local list = {}
  for _, line in ipairs(lines(path)) do
    if line:find("%S") then list[#list + 1] = dlp.json.decode(line) end
  end
  return reader(list)
end

-- The rows of a text as lists of fields, character by character.
local function rows(text, separator)
  local list, row, field, is_quoted, place = {}, {}, {}, false, 1
  local function finish_field()
    row[#row + 1] = table.concat(field)
    field = {}
  end
  local is_blank = true
  while place <= #text do
    local c = text:sub(place, place)
    if is_quoted then
      if c ~= '"' then field[#field + 1] = c
      elseif text:sub(place + 1, place + 1) == '"' then
        field[#field + 1], place = c, place + 1
      else is_quoted = false end
    elseif c == '"' and #field == 0 and text:sub(place - 1, place - 1):find("^[\n" .. separator .. "]?$") then
      is_quoted, is_blank = true, false
    elseif c == separator then
      finish_field()
      is_blank = false
    elseif c == "\n" or c == "\r" and text:sub(place + 1, place + 1):find("^\n?$") then
      if c == "\n" and not is_blank then
        finish_field()
        list[#list + 1], row = row, {}
      end
      is_blank = is_blank or c == "\n"
    else
      field[#field + 1], is_blank = c, false
    end
    place = place + 1
  end
  if not is_blank then
    finish_field()
    list[#list + 1] = row
  end
  return list
end

local kinds = {
  number = function(text) return tonumber(text) end,
  integer = function(text) return math.tointeger(tonumber(text)) end,
  boolean = function(text)
    if text == "" then return nil end
    return text:lower() == "true" or text:lower() == "yes" or text == "1"
  end,
}

function dlp.csv(path, opts)
  opts = opts or {}
  local list = rows(contents(path):gsub("^\xef\xbb\xbf", ""), opts.separator or ",")
  if opts.header == false then return reader(list) end
  local names, records = table.remove(list, 1), {}
  for i, row in ipairs(list) do
    local record = {}
    for column, name in ipairs(names) do
      local kind = opts.types and kinds[opts.types[name]]
      record[name] = row[column]
      if kind then record[name] = kind(row[column]) end
    end
    records[i] = record
  end
  return reader(records)
end

-- Grids ---------------------------------------------------------------------------------------------------------------

function dlp.grid(parameters)
  local names, points = {}, {{}}
  for name in pairs(parameters) do names[#names + 1] = name end
  table.sort(names)
  for _, name in ipairs(names) do
    local values, more = parameters[name], {}
    for _, point in ipairs(points) do
      for i = 1, math.tointeger(values) or #values do
        local copy = {[name] = math.tointeger(values) and i or values[i]}
        for key, value in pairs(point) do copy[key] = value end
        more[#more + 1] = copy
      end
    end
    points = more
  end
  return points
end
