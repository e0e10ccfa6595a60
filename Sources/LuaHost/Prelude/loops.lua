-- The loops of the module dlp. They use functions in `core` that are written in Swift and C.
local dlp, core = ...
local SIZE, IS_ROOT = core.size, core.rank == 0
local WORK, RESULTS, LIST, FAILED = core.WORK, core.RESULTS, core.LIST, core.FAILED
local new_numbers, elements = core.load("numbers")(core), core.load("sequences")(core)
local options = core.load("options")(core)

-- Raises an error with the script's current line as its position.
local function refuse(text, ...) error(core.where() .. text:format(...), 0) end

-- The loop in whose body this rank is, if any. A loop begun there belongs to one example, and so to this rank: the other
-- ranks do not run it. This rank does it alone, like a job of one rank.
local inside = nil

-- The loop whose element is being made by code of the script, if any, and the coroutine in which it is made.
local making, making_in = nil, nil

-- Returns a value for `for` to close however it leaves the loop.
local function closing(close) return setmetatable({}, {__close = close}) end

-- Calls `get(i)`, which may run code of the script, for the loop `loop`.
local function make(loop, get, i)
  local before, before_in = making, making_in
  making, making_in = loop, coroutine.running()
  local _ <close> = closing(function() making, making_in = before, before_in end)
  return get(i)
end

-- Returns the loop for which an element is being made here; nil also where that stands still in another coroutine.
local function maker()
  local status = making and coroutine.status(making_in)
  return (status == "running" or status == "normal") and making or nil
end

local function is_alone()
  local status = inside and coroutine.status(inside.thread)
  -- A coroutine that failed in the body never resumes, and did not close the loop either.
  if status == "dead" then inside.close(nil, "dead") end
  if status == "suspended" and SIZE > 1 then
    refuse("a loop is under way in a coroutine that stands still; it must be run to its end before anything else that ranks share")
  end
  -- Each rank makes the elements of a list that it needs, and all ranks those of an iterator.
  local its = maker()
  return inside ~= nil or its ~= nil and its.list.length ~= nil or core.is_apart()
end

core.is_alone = is_alone

local function callable(fn, name)
  local meta = getmetatable(fn)
  if type(fn) ~= "function" and not (type(meta) == "table" and meta.__call) then
    refuse("%s: expected a function first, got a %s", name, type(fn))
  end
end

-- Begins a loop that this rank does alone. If it has a function `fn`, elements that fail for good are passed to `failed`.
local function alone(name, list, opts, fn, failed)
  if opts.stage or opts.own.timeout then
    refuse(
      "%s: in a function of the job, in the body of a loop or where an element is made there can be no %s", name,
      opts.stage and "stage" or "timeout")
  end
  local numbers, i = new_numbers(name), 0
  local retries, continues = opts.own.retries, opts.own.continues

  -- Returns the result of the element; or nil and true if it has failed for good.
  local function attempted(value)
    for attempt = 1, retries + 1 do
      local tried = attempt <= retries and type(value) == "table" and core.copy(value) or nil
      local is_done, result = xpcall(fn, core.trace, value, i)
      if is_done then return result end
      if attempt > retries then
        if not continues then error(result, 0) end
        failed(i, {message = tostring(result), traceback = core.traced(), rank = core.rank, attempts = attempt})
        return nil, true
      end
      if tried and core.copy(value) ~= tried then value = core.copied(tried, value) end
      numbers:enter(i, value)
    end
  end

  -- Returns the next index and element or result; nothing at the end.
  local function take()
    numbers:leave()
    while list.length == nil or i < list.length do
      i = i + 1
      local value = list.get(i)
      if value == nil then return nil end
      numbers:enter(i, value)
      local has_failed
      if fn and (continues or retries > 0) then
        value, has_failed = attempted(value)
      elseif fn then
        value = fn(value, i)
      end
      if fn then numbers:take_result(i) end
      if not has_failed then return i, value end
    end
  end
  return take, closing(function() numbers:leave() end)
end

-- If two loops were stepped in turn, ranks could wait in one of them for elements that are held up in the other.
local function check_turn(loop, name)
  if SIZE > 1 and inside and inside ~= loop and coroutine.status(inside.thread) ~= "dead" then
    refuse("%s: this loop goes on in the body of another one, where ranks would wait for each other", name)
  end
  local its = SIZE > 1 and maker()
  if its and its ~= loop and its.id > loop.id then
    refuse("%s: this loop makes the elements of another one, and only rank 0 gets all of them", name)
  end
end

-- By the name of each stage of this script: the line where it began.
local stages = {}

-- Stands for a loop that has not begun yet, whose elements and costs one rank determines.
local beginning = {list = {length = 0}, id = 0}

-- Returns what `cost` gives for the elements of a list, as doubles of eight bytes. `cost` gets copies of tables, and
-- afterwards math.random goes on as if `cost` had drawn nothing.
local function costs(name, list, cost)
  local numbers, packed = core.numbers(), {}
  -- Also if `cost` fails.
  local _ <close> = closing(function() core.set_numbers(numbers) end)
  for i = 1, list.length do
    local value = make(beginning, list.get, i)
    local copy = type(value) == "table" and core.copy(value)
    if copy then value = core.copied(copy, value) end
    local answer = make(beginning, function() return cost(value, i) end)
    -- Both comparisons are false for NaN, so `not` refuses it too.
    if type(answer) ~= "number" or not (answer >= 0 and answer < math.huge) then
      refuse(
        "%s: cost returned %s for element %d; it must return a finite number from 0 on", name,
        type(answer) == "number" and tostring(answer) or answer == nil and "nothing" or "a " .. type(answer), i)
    end
    packed[i] = string.pack("=d", answer)
  end
  return table.concat(packed)
end

-- One rank's part of a loop that the root hands out.
local Loop = {}
Loop.__index = Loop

function Loop.enter(name, list, opts, fn)
  if not IS_ROOT then opts.works = true end
  if opts.stage then
    if not list.length then
      refuse("%s: a stage needs a list or a number: what an iterator gives cannot be looked up in a journal", name)
    end
    if stages[opts.stage] then
      refuse("%s: there is a stage %s already, begun at %s", name, opts.stage, stages[opts.stage])
    end
    if opts.keeps and not list.value then
      list.value = {}
      for i = 1, list.length do list.value[i] = make(beginning, list.get, i) end
    end
  end
  if opts.cost and not list.length then
    refuse("%s: cost needs a list or a number: of what an iterator will give nothing is known", name)
  end
  if opts.cost and IS_ROOT then opts.costs = costs(name, list, opts.cost) end
  local id = core.enter(name, list, opts, fn)
  if opts.stage then stages[opts.stage] = core.where():gsub(": $", "") end
  return setmetatable({
    id = id, list = list, numbers = new_numbers(name), is_timed = not opts.has_results and opts.timeout ~= nil,
    first = 0, count = 0, stride = 1, done = 0, in_body = false, thread = coroutine.running(),
  }, Loop)
end

-- The loop by whose limit this rank is watched.
local latest

-- Returns the next element and its index, or nil if the chunk is used up.
function Loop:take()
  if self.done == self.count then return nil end
  if self.done > 0 then
    local step = core.what_next(self.id)
    if step == 1 then return nil end
    if step == 2 then
      core.part(self.id, self.first, self.done)
      self:skip(self.done)
    end
  end
  local index = self.first + self.done * self.stride
  local value, length
  if self.list.runs_code then
    self.numbers:leave()
    value, length = make(self, self.list.get, index)
  else
    value, length = self.list.get(index)
  end
  -- Another loop may have been stepped meanwhile, with another limit.
  if latest ~= self then
    core.resume(self.id)
    latest = self
  end
  if value == nil then
    core.report_length(self.id, length)
    return nil
  end
  self.numbers:enter(index, value)
  return value, index
end

-- Removes the first `count` elements from the chunk.
function Loop:skip(count)
  self.first, self.count, self.done = self.first + count * self.stride, self.count - count, 0
end

function Loop:finish()
  core.finish(self.id, self.first, self.done)
  self.count = 0
end

-- Leaves the loop early, after `done` elements of the current chunk.
function Loop:leave(done)
  if self.is_over then return end
  self.is_over = true
  inside = nil
  self.numbers:leave()
  if self.count > 0 then core.finish(self.id, self.first, done) end
  core.leave(self.id)
end

-- Begins a loop whose body is in the script. If it `is_shared`, each rank has its elements by round robin, also rank 0.
local function split(name, is_shared, seq, opts)
  opts = options(opts, name, false)
  if is_shared and opts.cost then
    refuse("%s: cost is of no use where each rank has its elements from the start: split_managed heeds it", name)
  end
  if is_shared then opts.works, opts.is_shared, opts.progress = true, true, false end
  local list = elements(seq, name)
  if is_alone() then
    local take, closer = alone(name, list, opts)
    return function()
      local index, value = take()
      return value, index
    end, nil, nil, closer
  end
  local loop = Loop.enter(name, list, opts)

  local function step()
    if loop.is_timed then core.ended() end
    if loop.is_over then return nil end
    check_turn(loop, name)
    -- `inside` would not tell: a single rank may step several loops in turn.
    if loop.in_body then loop.done = loop.done + 1 end
    inside, loop.in_body = nil, false
    while true do
      if loop.count > 0 then
        local value, index = loop:take()
        if value ~= nil then
          inside, loop.in_body = loop, true
          if loop.is_timed then core.begin(index) end
          return value, index
        end
        loop:finish()
      end
      local event, first, count, stride = core.next(loop.id)
      latest = loop
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
  -- An element whose body is left by `break` or by an error counts as done.
  function loop.close(_, failure)
    if loop.is_timed then core.ended(failure ~= nil) end
    loop:leave(loop.in_body and loop.done + 1 or loop.done)
  end
  return step, nil, nil, closing(loop.close)
end

-- Tail calls, so that errors name the line of the script.
function dlp.split_managed(seq, opts) return split("split_managed", false, seq, opts) end

function dlp.split_round_robin(seq, opts) return split("split_round_robin", true, seq, opts) end

-- Begins a loop whose results come to rank 0. Returns a function that gives the next index and result there, nothing at the
-- end; and what closes the loop. If an element has failed for good, `failed` gets its index and the failure instead.
local function results(name, fn, seq, opts, failed)
  callable(fn, name)
  opts = options(opts, name, true)
  local list = elements(seq, name)
  if is_alone() then return alone(name, list, opts, fn, failed) end
  if not list.length then
    if opts.own.retries > 0 then refuse("%s: retries needs a list or a number: an iterator cannot go back", name) end
    opts.retries = 0
  end
  local loop = Loop.enter(name, list, opts, fn)
  local id, given, first, count, position = loop.id, nil, 0, 0, 0
  -- The list in which a failed element is put back as it was before the attempt. Nothing else may change it meanwhile.
  local kept = opts.retries > 0 and type(list.value) == "table" and list.value or nil
  local catches = opts.continues or opts.retries > 0

  -- Calls `fn`. Returns true on success, nil if it failed and the loop goes on, false if the job ends.
  local function attempt(value, index)
    local before = kept and type(value) == "table" and core.copy(value) or nil
    local is_done, result = core.attempt(fn, value, index)
    local message = is_done and core.add(id, result, index)
    if is_done and not message then return true end
    -- An element that fails only because the end of the job ended its program has not failed.
    if core.stays_undone() then return false end
    if before and core.copy(value) ~= before then kept[index] = core.copied(before, value) end
    if not catches then core.raise(message and core.where() .. message or result) end
    core.fail(id, loop.first, loop.done, index, value, message or result)
    loop:skip(loop.done + 1)
  end

  local function work()
    while loop.count > 0 do
      local value, index = loop:take()
      if value == nil then
        loop.numbers:leave()
        return loop:finish()
      end
      inside = loop
      local is_done = attempt(value, index)
      inside = nil
      if is_done then loop.done = loop.done + 1 end
      if is_done == false then
        loop.numbers:leave()
        return loop:finish()
      end
    end
    loop.numbers:leave()
  end

  local function take()
    check_turn(loop, name)
    inside = nil
    loop.numbers:leave()
    while true do
      if position < count then
        position = position + 1
        inside = loop
        local index = first + position - 1
        loop.numbers:take_result(index)
        return index, given[position]
      end
      if loop.is_over then return nil end
      local event, a, b, c = core.next(id)
      latest = loop
      if event == WORK then
        loop.first, loop.count, loop.done = a, b, 0
        work()
      elseif event == RESULTS then
        given, first, count, position = a, b, c, 0
      elseif event == FAILED then
        failed(a, b)
      elseif event == LIST then
        loop.list = elements(a, name)
        kept = kept and type(a) == "table" and a or nil
      else
        loop.is_over = true
        return nil
      end
    end
  end

  function loop.close()
    if IS_ROOT and not loop.is_over then core.cancel(id) end
    -- An element that failed has no result, so it does not count as done.
    loop:leave(loop.done)
  end
  return take, closing(loop.close)
end

function dlp.map_unordered(fn, seq, opts)
  local take, closer = results("map_unordered", fn, seq, opts, function() end)
  return function()
    local index, value
    -- A nil result would end the caller's loop.
    repeat index, value = take() until index == nil or value ~= nil
    return value, index
  end, nil, nil, closer
end

-- Returns the results by index, in the order of the sequence, with their number in `n`; on ranks other than the root, none.
-- They can also be iterated over like those of map_unordered. `errors` has the failures of elements, by index.
function dlp.map(fn, seq, opts)
  local errors
  local all, highest = {n = 0}, 0
  local function failed(index, failure)
    errors = errors or {}
    errors[index] = failure
    if index > highest then highest = index end
  end
  callable(fn, "map")
  local length = elements(seq, "map").length
  local take, closer <close> = results("map", fn, seq, opts, failed)
  for index, value in take do
    all[index] = value
    if index > highest then highest = index end
  end
  if IS_ROOT or is_alone() then all.n, all.errors = length or highest, errors end
  local position = 0
  return setmetatable(all, {
    __call = function()
      while position < all.n do
        position = position + 1
        if all[position] ~= nil then return all[position], position end
      end
      position = 0
    end,
  })
end
