-- A (mu + lambda) evolution strategy: an optimiser that asks for the values of points and is told the values.
--
--     ameexec -np 4 dlp-lua evolution.lua [GENERATIONS]
--
-- The best 5 of all points so far have 20 children, each a step away. The function is Rastrigin's, which has many local
-- minima; the deepest is 0. A generation needs all results of the one before. Until those have been collected, the
-- iterator has nothing to propose and returns dlp.LATER. The answer is the same on any number of ranks.

dlp.options = {collect = "order"}

local dimensions, mu, lambda = 4, 5, 20
local generations = arg[1] and math.tointeger(tonumber(arg[1])) or 40
local parents = {{value = math.huge, step = 1.5}}
local generation, proposed, children = 1, 0, {}
for i = 1, dimensions do parents[1][i] = 3.7 end

-- Returns a normally distributed random number.
local function normal()
  return math.sqrt(-2 * math.log(1 - math.random())) * math.cos(2 * math.pi * math.random())
end

local function child(number)
  -- math.random begins anew at each call of an iterator, so each child gets a seed of its own.
  math.randomseed(generation, number)
  local parent = parents[math.random(#parents)]
  local point = {step = parent.step * math.exp(0.3 * normal())}
  for i = 1, dimensions do point[i] = parent[i] + point.step * normal() end
  return point
end

function examples()
  return function()
    if generation > generations then return nil end
    if proposed == lambda then return dlp.LATER end
    proposed = proposed + 1
    return child(proposed)
  end
end

function work(point)
  local sum = 10 * dimensions
  for i = 1, dimensions do sum = sum + point[i] ^ 2 - 10 * math.cos(2 * math.pi * point[i]) end
  return sum
end

function collect(value, index, point)
  point.value, point.index = value, index
  children[#children + 1] = point
  if #children < lambda then return end
  local all = table.move(children, 1, lambda, #parents + 1, parents)
  table.sort(all, function(a, b)
    if a.value ~= b.value then return a.value < b.value end
    return (a.index or 0) < (b.index or 0)
  end)
  parents = table.move(all, 1, mu, 1, {})
  generation, proposed, children = generation + 1, 0, {}
end

function summarize(results)
  local best = parents[1]
  print(("%.6f after %d values, at %s"):format(best.value, results.n,
    ("%.3f "):rep(dimensions):format(table.unpack(best, 1, dimensions))))
end
