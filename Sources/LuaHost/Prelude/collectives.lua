-- The collectives of the module dlp. They use the functions in `core` that are written in Swift.
local dlp, core = ...
local SIZE, IS_ROOT = core.size, core.rank == 0

-- Raises an error where the other ranks do not make the same call: the collective would wait for them for ever.
function core.together(name)
  if SIZE > 1 and core.is_alone() then
    error(("%s: not in a function of the job or in the body of a loop, where the other ranks do not come by"):format(name), 3)
  end
end

function dlp.barrier()
  core.together("barrier")
  core.barrier()
end

function dlp.bcast(value, root)
  core.together("bcast")
  if root == nil then root = 0 end
  if math.type(root) ~= "integer" or root < 0 or root >= SIZE then
    error(("bcast: root must be a rank from 0 to %d, not %s"):format(
      SIZE - 1, type(root) == "string" and ("%q"):format(root) or tostring(root)), 2)
  end
  return core.bcast(value, root)
end

function dlp.gather(value)
  core.together("gather")
  return core.gather(value)
end

function dlp.allgather(value)
  core.together("allgather")
  return core.bcast(core.gather(value), 0)
end

-- Folds the values of all ranks in the order of the ranks: returns fn(fn(v0, v1), v2) ... on the root, nil elsewhere.
function dlp.reduce(value, fn)
  core.together("reduce")
  local all = core.gather(value)
  if not all then return nil end
  local result = all[1]
  for rank = 2, all.n do result = fn(result, all[rank]) end
  return result
end

function dlp.call_on_root_and_broadcast(fn, ...)
  core.together("call_on_root_and_broadcast")
  local results
  if IS_ROOT then results = table.pack(fn(...)) end
  results = core.bcast(results, 0)
  return table.unpack(results, 1, results.n)
end
