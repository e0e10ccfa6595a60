-- Defines what a job means: runs its functions in a plain loop, under the stock interpreter.
--
--     lua5.4 scripts/reference.lua [--seed N] JOB [ARG...]
--
-- On any number of ranks, dlp-lua must give the results that this script gives, byte for byte. Here there is one rank and
-- no option but the seed, and the first error ends the job with status 1.

local interpreter, stdout = arg[-1], io.stdout
local here = (arg[0]:match("^(.*/)") or "") .. "reference/"
local json, copy, each = dofile(here .. "json.lua"), dofile(here .. "copy.lua"), dofile(here .. "each.lua")
local numbers = dofile(here .. "numbers.lua")

local function usage(message)
  io.stderr:write("reference: ", message, "\nusage: lua5.4 scripts/reference.lua [--seed N] JOB [ARG...]\n")
  os.exit(2)
end

local words, seed = table.pack(...), 0
if words[1] == "--seed" then
  seed = math.tointeger(tonumber(words[2])) or usage("--seed takes a whole number")
  words = table.pack(table.unpack(words, 3))
end
local path = words[1] or usage("which job?")
local file = io.open(path) or usage(path .. ": no such file")
file:close()

dlp = loadfile(here .. "dlp.lua")(here, numbers)
package.loaded.dlp = dlp

local is_enough, added = false, {}
function dlp.stop() is_enough = true end
function dlp.add(...)
  for _, example in ipairs {...} do added[#added + 1] = copy(example, "dlp.add") end
end

arg = {[-1] = interpreter, [0] = path, table.unpack(words, 2)}

-- Functions that are called once have the seed of example 0. Collecting the result of example i has that of example -i.
local function seeded(index, fn, ...) return numbers.seeded(seed, index, fn, ...) end

local function next_example()
  if not examples then return each(io.lines()) end
  return each(seeded(0, examples))
end

local function run()
  local script, message = loadfile(path)
  if not script then error(message, 0) end
  dlp.LATER = {}
  seeded(0, script, table.unpack(arg))
  if not work then return end -- An imperative script: running it was the job.

  local draw, is_set_up = next_example(), not setup
  local keep = summarize or not collect
  local results = {n = 0}
  -- Returns the next example of the list; behind the list, those of dlp.add.
  local function draw_all()
    local index, example = draw()
    -- Every example given out so far has been collected.
    if example == dlp.LATER and #added == 0 then error("nothing is under work for which dlp.LATER could wait", 0) end
    if index and example ~= dlp.LATER then return index, example end
    if #added > 0 then return results.n + 1, table.remove(added, 1) end
  end
  for index, example in draw_all do
    if not is_set_up then seeded(0, setup) end
    is_set_up = true
    -- What `work` does to its example, and `collect` to a result, is not seen elsewhere. An example that cannot be
    -- copied stays as `work` has left it.
    local can_copy, unchanged = pcall(copy, example, "example " .. index)
    local result = copy(seeded(index, work, example, index), "result of example " .. index)
    if collect then seeded(-index, collect, copy(result, ""), index, can_copy and unchanged or example) end
    if keep then results[index] = result end
    results.n = index
    if is_enough then break end
  end

  if summarize then
    seeded(0, summarize, results)
  elseif not collect then
    for index = 1, results.n do
      stdout:write(json(results[index]), "\n")
    end
  end
end

local done, trace = xpcall(run, function(message) return debug.traceback(tostring(message), 2) end)
if not done then
  io.stderr:write(trace, "\n")
  os.exit(1)
end
