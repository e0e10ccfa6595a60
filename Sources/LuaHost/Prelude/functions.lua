-- The functions of the module dlp, on top of those in `core` that are written in Swift.
local dlp, core = ...
local SIZE, IS_ROOT = core.size, core.rank == 0
local WORK, RESULTS, LIST = core.WORK, core.RESULTS, core.LIST
local new_numbers = core.load("numbers")(core)

-- The loop in whose body this rank is, if any. A loop begun there belongs to that one example and so to this rank:
-- the others do not come by. It is done here alone, as by a job of one rank.
local inside = nil

local function is_alone()
  -- A coroutine that failed in the body never goes on, and does not close the loop either.
  if inside and coroutine.status(inside.thread) == "dead" then inside.close() end
  return inside ~= nil or core.is_apart()
end

-- A collective there would wait for ranks that do not come by.
function core.together(name)
  if SIZE > 1 and is_alone() then
    error(("%s: not in a function of the job or in the body of a loop, where the other ranks do not come by"):format(name), 3)
  end
end

-- A value as it stands in a script.
local function shown(value) return type(value) == "string" and ("%q"):format(value) or tostring(value) end

-- Collectives ---------------------------------------------------------------------------------------------------------

function dlp.barrier()
  core.together("barrier")
  core.barrier()
end

function dlp.bcast(value, root)
  core.together("bcast")
  if root == nil then root = 0 end
  if math.type(root) ~= "integer" or root < 0 or root >= SIZE then
    error(("bcast: root must be a rank from 0 to %d, not %s"):format(SIZE - 1, shown(root)), 2)
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

-- The values of all ranks in the order of the ranks: fn(fn(v0, v1), v2) ... on the root, nil elsewhere.
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

-- Loops ---------------------------------------------------------------------------------------------------------------

local known = {
  progress_bar = "boolean", pbar_prefix = "text", indexable = "boolean", allow_single_worker = "boolean",
  chunk = "integer", root_works = "boolean",
}

-- What to add to an error about an unknown option.
local function guess(key)
  local names = {}
  for name in pairs(known) do names[#names + 1] = name end
  local meant = type(key) == "string" and core.nearest(key, table.concat(names, " "))
  return meant and ("; is %s meant?"):format(meant) or ""
end

local function options(opts, name)
  if opts == nil then opts = {} end
  if type(opts) ~= "table" then error(("%s: the options must be a table, not a %s"):format(name, type(opts)), 3) end
  for key, value in pairs(opts) do
    if not known[key] then error(("%s: there is no option %s%s"):format(name, tostring(key), guess(key)), 3) end
    if known[key] == "boolean" and type(value) ~= "boolean" then
      error(("%s: %s must be true or false, not %s"):format(name, key, shown(value)), 3)
    end
  end
  local chunk = opts.chunk
  if chunk ~= nil and (math.type(chunk) ~= "integer" or chunk < 1) then
    error(("%s: chunk must be a whole number from 1 on, not %s"):format(name, shown(chunk)), 3)
  end
  local root_works = opts.root_works
  if root_works == nil then root_works = core.root_works end
  if SIZE == 1 then
    if opts.allow_single_worker == false then
      error(("%s: there is one rank only, and allow_single_worker is false"):format(name), 3)
    end
    root_works = true
  end
  return opts, root_works
end

-- More elements than any list has; the ranks' shares of so many can still be counted.
local LONGEST = 1 << 62

local function iterator(next_value, name)
  local position, is_over = 0, false
  return function(i)
    if i <= position then
      error(("%s: element %d came back from a rank that left the loop, but an iterator cannot go back"):format(name, i), 0)
    end
    local value
    repeat
      -- As `for` does: one that has ended may fail when it is called again.
      if not is_over then value = next_value() end
      is_over = value == nil
      if is_over then return nil, position end
      position = position + 1
    until position == i
    return value
  end
end

-- The elements of `seq`: how to `get` the one at an index; their number, `length`, nil for an iterator, of which every
-- rank has a copy that it runs forward itself; whether to get one `runs_code` of the script; and `value`, by which ranks
-- can tell that they have the same.
local function elements(seq, name)
  local kind = type(seq)
  local count = kind == "number" and math.tointeger(seq)
  if count and 0 <= count and count <= LONGEST then
    return {get = function(i) return i end, length = count, value = count}
  elseif kind == "function" then
    return {get = iterator(seq, name), runs_code = true}
  elseif kind == "table" or kind == "userdata" then
    local length = math.tointeger(#seq)
    if not length or length < 0 or length > LONGEST then
      error(("%s: the sequence has the length %s"):format(name, shown(#seq)), 3)
    end
    local meta = getmetatable(seq)
    if length == 0 and kind == "table" and not (type(meta) == "table" and meta.__len) and next(seq) ~= nil then
      error(("%s: the table has keys, but no first element, [1]; expected a sequence"):format(name), 3)
    end
    local function get(i)
      local value = seq[i]
      if value == nil then
        error(("%s: the sequence has no element %d, although it has %d"):format(name, i, length), 0)
      end
      return value
    end
    return {get = get, length = length, runs_code = meta ~= nil, value = meta == nil and seq or nil}
  end
  local what = kind == "number" and shown(seq) or "a " .. kind
  error(("%s: expected a sequence, a number from 0 on or an iterator, got %s"):format(name, what), 3)
end

local function callable(fn, name)
  local meta = getmetatable(fn)
  if type(fn) ~= "function" and not (type(meta) == "table" and meta.__call) then
    error(("%s: expected a function first, got a %s"):format(name, type(fn)), 3)
  end
end

-- What `for` closes when it leaves a loop, in whatever way.
local function closing(close) return setmetatable({}, {__close = close}) end

-- A loop that this rank does by itself.
local function alone(name, list, fn)
  local numbers, i = new_numbers(name), 0
  local function step()
    numbers:leave()
    while list.length == nil or i < list.length do
      i = i + 1
      local value = list.get(i)
      if value == nil then return nil end
      numbers:enter(i, value)
      if fn then
        value = fn(value, i)
        numbers:take_result(i)
      end
      if value ~= nil then return value, i end
      numbers:leave()
    end
  end
  return step, nil, nil, closing(function() numbers:leave() end)
end

-- Two loops stepped in turn would have each rank wait in one of them for what the others hold of the other.
local function check_turn(loop, name)
  if SIZE > 1 and inside and inside ~= loop and coroutine.status(inside.thread) ~= "dead" then
    error(("%s: this loop goes on in the body of another one, where ranks would wait for each other"):format(name), 3)
  end
end

-- One rank's part of a loop that the root hands out; `step` is called with each element.
local Loop = {}
Loop.__index = Loop

function Loop.enter(name, list, opts, root_works, stream, is_shared)
  local prefix = opts.pbar_prefix ~= nil and tostring(opts.pbar_prefix) or nil
  local works = root_works or not IS_ROOT
  local id = core.enter(
    list.length or -1, stream, opts.chunk or 0, works, not is_shared and opts.progress_bar ~= false, prefix, list.value,
    is_shared)
  return setmetatable({
    id = id, list = list, numbers = new_numbers(name),
    first = 0, count = 0, stride = 1, done = 0, in_body = false, thread = coroutine.running(),
  }, Loop)
end

-- The next element and its index, or nil where the chunk is used up.
function Loop:take()
  if self.done == self.count or (self.done > 0 and self.list.length and core.is_over_time(self.id)) then return nil end
  local index = self.first + self.done * self.stride
  if self.list.runs_code then self.numbers:leave() end
  local value, length = self.list.get(index)
  if value == nil then
    core.report_length(self.id, length)
    return nil
  end
  self.numbers:enter(index, value)
  return value, index
end

function Loop:finish()
  core.finish(self.id, self.first, self.done)
  self.count = 0
end

-- Leaves the loop early, with `done` examples of the chunk under way done.
function Loop:leave(done)
  if self.is_over then return end
  self.is_over = true
  inside = nil
  self.numbers:leave()
  if self.count > 0 then core.finish(self.id, self.first, done) end
  core.leave(self.id)
end

-- A loop whose body is the script's own; where it `is_shared` each rank has its elements by round robin, rank 0 too.
local function split(name, is_shared, seq, opts)
  local root_works
  opts, root_works = options(opts, name)
  local list = elements(seq, name)
  if is_alone() then return alone(name, list) end
  local loop = Loop.enter(name, list, opts, root_works or is_shared, false, is_shared)

  local function step()
    if loop.is_over then return nil end
    check_turn(loop, name)
    -- Not by `inside`: a single rank may step several loops in turn.
    if loop.in_body then loop.done = loop.done + 1 end
    inside, loop.in_body = nil, false
    while true do
      if loop.count > 0 then
        local value, index = loop:take()
        if value ~= nil then
          inside, loop.in_body = loop, true
          return value, index
        end
        loop:finish()
      end
      local event, first, count, stride = core.next(loop.id)
      if event == WORK then
        loop.first, loop.count, loop.stride, loop.done = first, count, stride, 0
      elseif event == LIST then
        loop.list = elements(first, name)
      else
        loop.is_over = true
        loop.numbers:leave()
        return nil
      end
    end
  end
  -- The element whose body is left by `break`, or by an error, counts as done.
  function loop.close() loop:leave(loop.in_body and loop.done + 1 or loop.done) end
  return step, nil, nil, closing(loop.close)
end

-- By tail calls, so that errors name the line of the script.
function dlp.split_managed(seq, opts) return split("split_managed", false, seq, opts) end

function dlp.split_round_robin(seq, opts) return split("split_round_robin", true, seq, opts) end

local function map_unordered(name, fn, seq, opts)
  callable(fn, name)
  local root_works
  opts, root_works = options(opts, name)
  local list = elements(seq, name)
  if is_alone() then return alone(name, list, fn) end
  local loop = Loop.enter(name, list, opts, root_works, true)
  local results, first, count, position = nil, 0, 0, 0

  local function work()
    while true do
      local value, index = loop:take()
      if value == nil then
        loop.numbers:leave()
        return loop:finish()
      end
      inside = loop
      core.add(loop.id, fn(value, index), index)
      inside = nil
      loop.done = loop.done + 1
    end
  end

  local function step()
    check_turn(loop, name)
    inside = nil
    loop.numbers:leave()
    while true do
      while position < count do
        position = position + 1
        local value = results[position]
        -- A nil would end the caller's loop.
        if value ~= nil then
          inside = loop
          local index = first + position - 1
          loop.numbers:take_result(index)
          return value, index
        end
      end
      if loop.is_over then return nil end
      local event, a, b, c = core.next(loop.id)
      if event == WORK then
        loop.first, loop.count, loop.done = a, b, 0
        work()
      elseif event == RESULTS then
        results, first, count, position = a, b, c, 0
      elseif event == LIST then
        loop.list = elements(a, name)
      else
        loop.is_over = true
        return nil
      end
    end
  end

  function loop.close()
    if IS_ROOT and not loop.is_over then core.cancel(loop.id) end
    -- One that failed has no result.
    loop:leave(loop.done)
  end
  return step, nil, nil, closing(loop.close)
end

function dlp.map_unordered(fn, seq, opts) return map_unordered("map_unordered", fn, seq, opts) end

-- The results in the order of the sequence, by index and with their number in `n`, on the root; none elsewhere. They
-- may also be iterated over as those of map_unordered.
function dlp.map(fn, seq, opts)
  callable(fn, "map")
  opts = options(opts, "map")
  local length = elements(seq, "map").length
  local results = {n = 0}
  local highest = 0
  local function number(value, index)
    return {fn(value, index)}
  end
  for boxed, index in map_unordered("map", number, seq, opts) do
    results[index] = boxed[1]
    if index > highest then highest = index end
  end
  if IS_ROOT or is_alone() then results.n = length or highest end
  local position = 0
  return setmetatable(results, {
    __call = function()
      while position < results.n do
        position = position + 1
        if results[position] ~= nil then return results[position], position end
      end
      position = 0
    end,
  })
end
