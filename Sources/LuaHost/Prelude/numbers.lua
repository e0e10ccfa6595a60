-- The elements of the module's loops: which numbers math.random gives in them, and how errors name them.
local core = ...

-- Each element of a loop has its own seed. In the nth loop begun under the seed SEED, element i has the seed of
-- math.randomseed(SEED, n << 40 | i). For a loop in the body of an element, or in a function of the job, SEED is one
-- number that is made from both parts of the seed there. Around a loop, math.random goes on as if the loop had drawn
-- nothing.

-- `called`: what the host has called, the script or a function of its job. `scope`: where a loop that begins now belongs:
-- `called`, the body of an element, or a body that takes a result.
local called, scope = {}, nil

local Numbers = {}
Numbers.__index = Numbers

-- Begins the body of the element `value` at `index`: from here on math.random gives the element's numbers.
function Numbers:enter(index, value)
  local outer, element = self.outer, self.element
  if scope == outer then outer.numbers = core.numbers() end
  element.second, element.loops, element.index, element.value = self.base + index, 0, index, value
  scope, self.are_its_own = element, true
  core.seed(element.first, element.second)
end

-- Begins the body that takes the result of the element at `index`. There math.random goes on as around the loop, but loops
-- that begin there are not counted with those around it.
function Numbers:take_result(index)
  self:leave()
  self.result.second, self.result.loops = -(self.base + index), 0
  scope = self.result
end

-- Ends a body: from here on math.random goes on as around the loop.
function Numbers:leave()
  if scope == self.result then scope = self.outer end
  if not self.are_its_own then return end
  scope, self.are_its_own, self.element.value = self.outer, false, nil
  core.set_numbers(scope.numbers)
end

-- Names the elements in whose bodies the script is, for error messages.
core.describe_errors(function()
  local elements, place = {}, scope
  while place do
    if place.name then
      local value = rawequal(place.index, place.value) and "" or ": " .. core.shown(place.value)
      elements[#elements + 1] = ("element %d of %s%s"):format(place.index, place.name, value)
    end
    place = place.outer
  end
  return elements[1] and table.concat(elements, ", in ")
end)

-- Returns the numbers for the elements of a new loop, begun by the function `name` of the module.
return function(name)
  local first, second, call = core.seeding()
  if called.call ~= call then
    called = {call = call, first = first, second = second, loops = 0}
    scope = called
  end
  scope.loops = scope.loops + 1
  local seed = scope.second == 0 and scope.first or core.mix(scope.first, scope.second)
  return setmetatable({
    outer = scope, base = scope.loops << 40, are_its_own = false,
    element = {first = seed, name = name, outer = scope}, result = {first = seed, outer = scope},
  }, Numbers)
end
