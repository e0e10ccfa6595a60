-- The functions of the module dlp for data: files, JSON, grids. They use functions in `core` that are written in C.
local dlp, core = ...

local TYPES = {number = "n", integer = "i", boolean = "b", string = "s"}
local OPTIONS = "separator header types ragged"

local function shown(value) return type(value) == "string" and ("%q"):format(value) or tostring(value) end

-- Returns what to add to an error about a word that is none of `words`.
local function guess(word, words)
  local meant = type(word) == "string" and core.nearest(word, words)
  return meant and ("; is %s meant?"):format(meant) or ("; there are " .. words:gsub(" ", ", "))
end

-- Returns true for a path; or nil and what is wrong.
local function checked_path(path)
  if type(path) ~= "string" then return nil, ("expected the name of a file, got %s"):format(shown(path)) end
  if path:find("\0", 1, true) then return nil, "the name of the file has a NUL byte in it" end
  return true
end

-- Returns the types in the form that `open_input` takes; or nil and what is wrong.
local function types_of(types)
  if types == nil then return nil end
  if types == "auto" then return true end
  if type(types) ~= "table" then
    return nil, ('types is %s; expected "auto" or a table, as {column = "number"}'):format(shown(types))
  end
  local letters = {}
  for column, word in next, types do
    letters[column] = TYPES[word]
    if not letters[column] then
      return nil, ("types: %s is no type%s"):format(shown(word), guess(word, "number integer boolean string"))
    end
  end
  return letters
end

-- Opens a CSV file; or returns nil and what is wrong.
local function csv(path, opts)
  local is_path, message = checked_path(path)
  if not is_path then return nil, message end
  if opts == nil then opts = {} end
  if type(opts) ~= "table" then return nil, ("the options must be a table, not %s"):format(shown(opts)) end
  for key in next, opts do
    if type(key) ~= "string" or not (" " .. OPTIONS .. " "):find(" " .. key .. " ", 1, true) then
      return nil, ("there is no option %s%s"):format(tostring(key), guess(key, OPTIONS))
    end
  end
  local separator, header, ragged = opts.separator, opts.header, opts.ragged
  if separator ~= nil and not (type(separator) == "string" and #separator == 1 and not separator:find('["\r\n%z]')) then
    return nil, ('separator is %s; expected one character, as ";" or "\\t"'):format(shown(separator))
  end
  if header ~= nil and type(header) ~= "boolean" then
    return nil, ("header must be true or false, not %s"):format(shown(header))
  end
  if ragged ~= nil and ragged ~= "fill" then
    return nil, ('ragged is %s; expected "fill", or nothing, where such rows are errors'):format(shown(ragged))
  end
  local types
  types, message = types_of(opts.types)
  if message then return nil, message end
  return core.open_input("csv", path, core.rank == 0, separator, header ~= false, ragged == "fill", types)
end

-- Returns what `for` and examples() take. The last value is the reader again, so that `for` closes it when it leaves the loop.
local function iterator(reader) return reader, nil, nil, reader end

local function refuse_in_sandbox(name, level)
  if not core.open_input then error(name .. ": under --sandbox there are no files", level + 1) end
end

-- The rows of a CSV file.
function dlp.csv(path, opts)
  refuse_in_sandbox("csv", 2)
  local reader, message = csv(path, opts)
  if not reader then error("csv: " .. message, 2) end
  return iterator(reader)
end

local function records(name, path)
  refuse_in_sandbox(name, 3)
  local is_path, message = checked_path(path)
  if not is_path then error(name .. ": " .. message, 3) end
  return core.open_input(name, path, core.rank == 0)
end

-- dlp.lines: the lines of a file, without their ends. dlp.jsonl: the values of a file with a JSON value on each line.
function dlp.lines(path)
  local reader = records("lines", path)
  return iterator(reader)
end

function dlp.jsonl(path)
  local reader = records("jsonl", path)
  return iterator(reader)
end

-- reader:all() returns the remaining records of a file as a table.
if core.open_input then
  core.reader_methods().all = function(reader)
    local list, count = {}, 0
    for record in reader do
      count = count + 1
      list[count] = record
    end
    return list
  end
end

dlp.json = {encode = core.encode_json, decode = core.decode_json}

-- Returns how many values a parameter has; or nil and what is wrong.
local function count_of(name, values)
  local count = math.type(values) and math.tointeger(values)
  if count and count >= 0 then return count end
  if type(values) ~= "table" then
    return nil, ("%s is %s; expected a list of values, or a number n for 1 to n"):format(name, shown(values))
  end
  for key in next, values do
    if math.type(key) ~= "integer" or key < 1 or key > #values then
      return nil, ("%s must be a list of values without holes"):format(name)
    end
  end
  return #values
end

local function grid(parameters)
  if type(parameters) ~= "table" then return nil, ("expected a table, got %s"):format(shown(parameters)) end
  local names, counts, size = {}, {}, 1
  for name in next, parameters do
    if type(name) ~= "string" then return nil, ("%s is no name; expected name = {values}"):format(shown(name)) end
    names[#names + 1] = name
  end
  table.sort(names)
  for i, name in ipairs(names) do
    local message
    counts[i], message = count_of(name, parameters[name])
    if message then return nil, message end
    if counts[i] > 0 and size > (1 << 40) // counts[i] then return nil, "it has more than 2^40 points" end
    size = size * counts[i]
  end
  local points = {}
  for number = 0, size - 1 do
    local point, rest = {}, number
    for i = #names, 1, -1 do
      local values, value = parameters[names[i]], rest % counts[i] + 1
      if type(values) == "table" then value = values[value] end
      point[names[i]] = value
      rest = rest // counts[i]
    end
    points[number + 1] = point
  end
  return points
end

-- The Cartesian product, in the order of the sorted names, the last one fastest.
function dlp.grid(parameters)
  local points, message = grid(parameters)
  if not points then error("grid: " .. message, 2) end
  return points
end

-- Names values on which results depend, besides the code and what it reaches. With a journal, a change redoes the examples.
function dlp.depends(...)
  if select("#", ...) == 0 then error("depends: expected what results depend on, as dlp.digest_file(path)", 2) end
  core.depends(...)
end

-- Returns a digest of a file's content: 32 hexadecimal digits.
function dlp.digest_file(path)
  local is_path, message = checked_path(path)
  local digest
  if is_path then digest, message = core.digest_file(path) end
  if not digest then error("digest_file: " .. message, 2) end
  return digest
end
