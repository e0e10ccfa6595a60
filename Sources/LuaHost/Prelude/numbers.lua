-- The numbers that math.random gives in the loops of the module.
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

-- From here on math.random gives the numbers of the element at `index`.
function Numbers:enter(index)
  local outer, element = self.outer, self.element
  if scope == outer then outer.numbers = core.numbers() end
  element.second, element.loops = self.base + index, 0
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
  scope, self.are_its_own = self.outer, false
  core.set_numbers(scope.numbers)
end

-- The numbers of the elements of a new loop.
return function()
  local first, second, call = core.seeding()
  if called.call ~= call then
    called = {call = call, first = first, second = second, loops = 0}
    scope = called
  end
  scope.loops = scope.loops + 1
  local seed = scope.second == 0 and scope.first or core.mix(scope.first, scope.second)
  return setmetatable({
    outer = scope, base = scope.loops << 40, element = {first = seed}, result = {first = seed}, are_its_own = false,
  }, Numbers)
end
