-- What --sandbox leaves of the standard libraries: this runs before the script, and what no variable leads to any more
-- no script gets at. A list of what stays, so that what a later Lua adds has to be thought about first.
local load, error, tostring, find, format = load, error, tostring, string.find, string.format

local kept = {}
for name in ([[
  _G _VERSION arg assert collectgarbage coroutine dlp error getmetatable ipairs math next os pairs pcall print rawequal
  rawget rawlen rawset select setmetatable string table tonumber tostring type utf8 warn xpcall
]]):gmatch("%S+") do kept[name] = true end

for name in pairs(_G) do
  if not kept[name] then _G[name] = nil end
end
-- The time, and the end of the job; no programs, files, environment or locale.
for name in pairs(os) do
  if not find(" clock date difftime exit time ", " " .. name .. " ", 1, true) then os[name] = nil end
end
string.dump = nil

-- Lua does not check bytecode, which can therefore do anything to the process.
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
