-- math.random as a job has it: a seed for each example and each element of a loop, and a way back to what was before.

local randomseed, random = math.randomseed, math.random
-- The last seed, and all numbers that were drawn since: to draw them again is the only way back of the stock interpreter.
local now = {seed = {0, 0}}

function math.randomseed(...)
  now = {seed = table.pack(randomseed(...))}
  if select("#", ...) > 0 then now.seed = table.pack(...) end
end

function math.random(...)
  now[#now + 1] = table.pack(...)
  return random(...)
end

local function go_back(state, length)
  randomseed(table.unpack(state.seed, 1, state.seed.n))
  for n = 1, length do random(table.unpack(state[n], 1, state[n].n)) end
  now = table.move(state, 1, length, 1, {seed = state.seed})
end

-- One number that is made of the two parts of a seed.
local function mix(first, second)
  local function spread(x)
    x = (x ~ x >> 30) * 0xbf58476d1ce4e5b9
    x = (x ~ x >> 27) * 0x94d049bb133111eb
    return x ~ x >> 31
  end
  return spread(spread(first + 0x9e3779b97f4a7c15) + second + 0x9e3779b97f4a7c15)
end

-- Where loops begin: under which seed, and how many there were.
local scope = {first = 0, second = 0, loops = 0}
local numbers = {}

-- Calls `fn` under the seed of an example, or of what is no example.
function numbers.seeded(first, second, fn, ...)
  math.randomseed(first, second)
  scope = {first = first, second = second, loops = 0}
  return fn(...)
end

-- A new loop: two functions, of which the first begins the element of an index and the second ends it.
function numbers.loop()
  local outer, before, length = scope, nil, nil
  outer.loops = outer.loops + 1
  local seed = outer.second == 0 and outer.first or mix(outer.first, outer.second)
  local base = outer.loops << 40
  local function finish()
    if before then go_back(before, length) end
    scope, before = outer, nil
  end
  local function begin(index)
    before, length = now, #now
    math.randomseed(seed, base + index)
    scope = {first = seed, second = base + index, loops = 0}
  end
  -- Code that takes a result may begin loops, too; it draws the number that was next before the loop.
  local function take(index)
    finish()
    scope = {first = seed, second = -(base + index), loops = 0}
  end
  return begin, finish, take
end

return numbers
