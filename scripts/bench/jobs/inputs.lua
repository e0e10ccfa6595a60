-- Reads or writes data: inputs.lua dlp|cjson CASE FILE REPEATS. dlp needs dlp-lua on one rank.
local library, case, path, repeats = table.unpack(arg)

local function text()
  local file <close> = assert(io.open(path, "rb"))
  return file:read("a")
end

-- Returns the number of records. A case returns their bytes too, if these are not the bytes of the file.
local function counted(next_record)
  local count = 0
  for _ in next_record do count = count + 1 end
  return count
end

local json = library == "dlp" and dlp.json or require "cjson"
local source = case:find("^json") and text()
local value = case == "json encode" and json.decode(source)
local cases = {
  ["csv"] = function() return counted(dlp.csv(path)) end,
  ["csv lists"] = function() return counted(dlp.csv(path, {header = false})) - 1 end,
  ["csv numbers"] = function() return counted(dlp.csv(path, {types = "auto"})) end,
  ["json decode"] = function() return #json.decode(source) end,
  ["json encode"] = function()
    local written = json.encode(value)
    return #value, #written
  end,
  ["json lines"] = library == "dlp" and function() return counted(dlp.jsonl(path)) end or function()
    local count = 0
    for line in io.lines(path) do
      json.decode(line)
      count = count + 1
    end
    return count
  end,
}

local times, count, size = {}, 0, 0
for i = 1, tonumber(repeats) do
  collectgarbage()
  local begin = os.clock()
  count, size = cases[case]()
  times[i] = os.clock() - begin
end
table.sort(times)
print(('{"seconds": %.9f, "records": %d, "bytes": %d}'):format(times[(#times + 1) // 2], count, size or 0))
