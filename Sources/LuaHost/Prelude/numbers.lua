-- The elements of the module's loops: the numbers that math.random gives there, and how errors name them.
local core = ...

-- Each element of a loop has a seed of its own: where the loop is begun under the seed SEED, and is the nth one there,
-- element i has that of math.randomseed(SEED, n << 40 | i). A loop in the body of an element, or in a function of the job,
-- has as SEED one number that is made of both parts of the seed there. Around a loop math.random goes on as if the loop had
-- drawn nothing.

-- What the host has called (the script, or a function of its job), and where a loop that begins now is begun: there, or
-- in the body of an element.
local called, scope = {}, nil

local Numbers = {}
Numbers.__index = Numbers

-- The body of the element `value` at `index` begins: from here on math.random gives its numbers.
function Numbers:enter(index, value)
  local outer, element = self.outer, self.element
  if scope == outer then outer.numbers = core.numbers() end
  element.second, element.loops, element.index, element.value = self.base + index, 0, index, value
  scope, self.are_its_own = element, true
  core.seed(element.first, element.second)
end

-- The body of the loop takes the result of the element at `index`: its numbers are those around the loop, but what loops
-- it begins is no matter of theirs.
function Numbers:take_result(index)
  self:leave()
  self.result.second, self.result.loops = -(self.base + index), 0
  scope = self.result
end

-- From here on it goes on as around the loop.
function Numbers:leave()
  if scope == self.result then scope = self.outer end
  if not self.are_its_own then return end
  scope, self.are_its_own, self.element.value = self.outer, false, nil
  core.set_numbers(scope.numbers)
end

-- The elements in whose bodies the script is, for the message of an error.
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

-- The numbers of the elements of a new loop, which is one of `name`.
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
