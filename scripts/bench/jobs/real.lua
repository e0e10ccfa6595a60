-- A job with a clock around it: real.lua SCRIPT [ARG...]. Under dlp-lua it is the script's job. Under the stock lua5.4 the
-- same functions run in a plain loop over what examples() gives. Without examples(), the loop is over the records of the file
-- that the variable DOCUMENTS names; each record ends with a NUL.
--
-- Prints the seconds from the script's first line to the end of its output, and how many of them are from examples() to
-- summarize(); and a number computed from all output, which shows whether other tools have printed the same.
local clock = require "clock"
local start, began, printed = clock.now(), nil, 0

function print(...)
  for _, byte in ipairs {(table.concat({...}, "\t") .. "\n"):byte(1, -1)} do
    printed = (printed * 31 + byte) % 4294967296
  end
end

arg[0] = table.remove(arg, 1)
dofile(arg[0])

local list, say = examples, summarize
if list then
  function examples()
    began = clock.now()
    return list()
  end
end
began = clock.now()

function summarize(results)
  local ended = clock.now()
  say(results)
  local seconds = clock.now() - start
  io.write(('{"seconds": %.9f, "loop": %.9f, "printed": %d}\n'):format(seconds, ended - began, printed))
end

-- dlp-lua does the rest itself.
if dlp then return end

local results = {n = 0}
local function take(index, example)
  local result = work(example, index)
  if collect then collect(result, index, example) end
  results[index], results.n = result, index
end

local all = list and examples()
if type(all) == "number" then
  for index = 1, all do take(index, index) end
elseif all then
  for index, example in ipairs(all) do take(index, example) end
else
  local file <close> = assert(io.open(os.getenv "DOCUMENTS", "rb"))
  local index = 0
  for document in file:read("a"):gmatch("([^\0]*)\0") do
    index = index + 1
    take(index, document)
  end
end
summarize(results)
