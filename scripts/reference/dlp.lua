-- The module `dlp` as it is in a job of one process: nothing is sent, every loop runs here and in order.

local here = ...
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

-- An iterator of value and index.
function dlp.split_managed(sequence)
  local next_pair = each(sequence)
  return function()
    local index, value = next_pair()
    if index then return value, index end
  end
end

dlp.split_round_robin = dlp.split_managed

function dlp.map_unordered(fn, sequence)
  local next_pair = each(sequence)
  return function()
    local index, value = next_pair()
    if index then return copy(fn(value), "result of example " .. index), index end
  end
end

return dlp
