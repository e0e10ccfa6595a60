-- Removes what --sandbox forbids from the standard libraries. It runs before the script, which cannot get at what no variable
-- leads to. It lists what stays, not what goes: additions of a later Lua stay out until somebody has thought about them.
local load, error, tostring, find, format = load, error, tostring, string.find, string.format

local kept = {}
for name in ([[
  _G _VERSION arg assert collectgarbage coroutine dlp error getmetatable ipairs math next os pairs pcall print rawequal
  rawget rawlen rawset select setmetatable string table tonumber tostring type utf8 warn xpcall
]]):gmatch("%S+") do kept[name] = true end

for name in pairs(_G) do
  if not kept[name] then _G[name] = nil end
end
-- In `os` the time and the end of the job stay. Programs, files, environment and locale go.
for name in pairs(os) do
  if not find(" clock date difftime exit time ", " " .. name .. " ", 1, true) then os[name] = nil end
end
string.dump = nil

-- Lua does not check bytecode, so bytecode can do anything to the process.
function _G.load(chunk, name, mode, ...)
  if mode ~= nil and not find(mode, "t", 1, true) then
    return nil, "load: under --sandbox there is no bytecode, text only"
  end
  return load(chunk, name, "t", ...)
end

local modules = {_G = _G, coroutine = coroutine, dlp = dlp, math = math, os = os, string = string, table = table, utf8 = utf8}

function _G.require(name)
  local module = modules[name]
  if module == nil then
    error(format("module '%s' not found: under --sandbox there are dlp and Lua's own libraries only", tostring(name)), 2)
  end
  return module
end
