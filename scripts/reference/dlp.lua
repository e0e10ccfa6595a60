-- The module `dlp` as it is in a job of one process: nothing is sent, every loop runs here and in order.

local here, numbers = ...
local copy, each = dofile(here .. "copy.lua"), dofile(here .. "each.lua")

local dlp = {
  RANK = 0, SIZE = 1, MASTER = 0, ROOT = 0, IS_MASTER = true, IS_ROOT = true,
  options = {}, backend = "none", hostname = "localhost", version = "reference",
}

function dlp.barrier() end

function dlp.bcast(value)
  return copy(value, "broadcast")
end

function dlp.gather(value)
  return {copy(value, "gather"), n = 1}
end

dlp.allgather = dlp.gather

function dlp.reduce(value)
  return copy(value, "reduce")
end

function dlp.call_on_root_and_broadcast(fn, ...)
  return dlp.bcast((fn(...)))
end

-- An iterator of value and index; what closes it takes the loop's numbers away.
function dlp.split_managed(sequence)
  local next_pair = each(sequence)
  local begin, finish = numbers.loop()
  local function step()
    finish()
    local index, value = next_pair()
    if not index then return nil end
    begin(index)
    return value, index
  end
  return step, nil, nil, setmetatable({}, {__close = finish})
end

dlp.split_round_robin = dlp.split_managed

function dlp.map_unordered(fn, sequence)
  local next_pair = each(sequence)
  local begin, finish, take = numbers.loop()
  local function step()
    finish()
    local index, value = next_pair()
    if not index then return nil end
    begin(index)
    local result = copy(fn(value, index), "result of example " .. index)
    take(index)
    -- A nil would end the caller's loop.
    if result == nil then return step() end
    return result, index
  end
  return step, nil, nil, setmetatable({}, {__close = finish})
end

function dlp.map(fn, sequence)
  local results = {n = 0}
  local function boxed(value, index) return {fn(value, index)} end
  for result, index in dlp.map_unordered(boxed, sequence) do
    results[index], results.n = result[1], index
  end
  return results
end

assert(loadfile(here .. "programs.lua"))(dlp)
assert(loadfile(here .. "inputs.lua"))(dlp, dofile(here .. "json.lua"))

return dlp
