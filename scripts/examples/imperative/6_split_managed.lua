-- A loop whose elements are handed out on demand: the body runs on the rank that gets the element, so a slow element
-- holds up one rank and nobody else. What the ranks found is brought together once, at the end.
--
--     dlp-lua 6_split_managed.lua                     one process
--     ameexec -np 3 dlp-lua 6_split_managed.lua       three

local dlp = require "dlp"

-- The number of steps that the Collatz sequence takes from a number to 1: nobody knows beforehand how many.
local function steps(number)
  local count = 0
  while number ~= 1 do
    number = number % 2 == 0 and number // 2 or 3 * number + 1
    count = count + 1
  end
  return count
end

-- The longer sequence; of equally long ones that of the smaller number, so that the answer is the same on any ranks.
local function longer(a, b)
  if a.steps ~= b.steps then return a.steps > b.steps and a or b end
  return a.number < b.number and a or b
end

local numbers = {}
for number = 1, 10000 do
  numbers[number] = number
end

local longest = {number = 1, steps = 0}
for number in dlp.split_managed(numbers) do
  longest = longer(longest, {number = number, steps = steps(number)})
end

longest = dlp.reduce(longest, longer)

if dlp.IS_ROOT then
  print(("longest: from %d, %d steps"):format(longest.number, longest.steps))
end
