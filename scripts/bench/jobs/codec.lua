-- Encodes and decodes a value: codec.lua dlp|cjson|MessagePack KIND SIZE REPEATS. dlp needs dlp-lua on one rank, which sends
-- nothing: there bcast only encodes, and a loop of one element encodes its result and decodes it again.
local clock = require "clock"
local payload = dofile(arg[0]:gsub("[^/]*$", "") .. "payload.lua")
local value, bytes = payload(arg[2], arg[3])
local size = 0

local function median(times)
  table.sort(times)
  return times[(#times + 1) // 2]
end

local function timed(fn)
  collectgarbage()
  local begin = clock.now()
  local result = fn()
  return clock.now() - begin, result
end

local codecs = {}

function codecs.dlp()
  assert(dlp.SIZE == 1)
  local encoding = timed(function() return dlp.bcast(value) end)
  local both, results = timed(function() return dlp.map(function() return value end, 1) end)
  assert(results[1] ~= value and #results[1] == #value or type(value) == "string")
  return encoding, math.max(0, both - encoding)
end

local function library(name, encode, decode)
  codecs[name] = function()
    local library = require(name)
    local encoding, text = timed(function() return library[encode](value) end)
    local decoding, copy = timed(function() return library[decode](text) end)
    assert(#copy == #value)
    size = #text
    return encoding, decoding
  end
end
library("cjson", "encode", "decode")
library("MessagePack", "pack", "unpack")

local encodings, decodings = {}, {}
for i = 1, tonumber(arg[4]) do encodings[i], decodings[i] = codecs[arg[1]]() end
local report = '{"encode": %.9f, "decode": %.9f, "bytes": %d, "size": %d}'
print(report:format(median(encodings), median(decodings), bytes, size))
