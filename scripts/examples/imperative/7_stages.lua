-- A pipeline of two stages: a cheap look at every candidate, a choice on the root, and a thorough look at the best ones.
--
--     ameexec -np 4 dlp-lua 7_stages.lua
--     ameexec -np 4 dlp-lua --journal stages.db 7_stages.lua         interrupted, the same call goes on in its stage
--     dlp-lua --results stages.db --stage thorough                    what that stage has found

local dlp = require "dlp"

-- How often a point at random is inside of a curve: the more points, the better is the guess.
local function area(power, points)
  local hits = 0
  for _ = 1, points do
    if math.random() ^ power + math.random() ^ power < 1 then hits = hits + 1 end
  end
  return hits / points
end

local powers = {}
for i = 1, 40 do powers[i] = 0.5 + i / 10 end

local rough = dlp.map(function(power) return area(power, 2000) end, powers, {stage = "rough"})

-- Only the root has the results; all ranks need to know what comes next.
local best = dlp.call_on_root_and_broadcast(function()
  local list = {}
  for i, guess in ipairs(rough) do list[i] = {power = powers[i], distance = math.abs(guess - 0.75)} end
  table.sort(list, function(a, b)
    return a.distance ~= b.distance and a.distance < b.distance or a.distance == b.distance and a.power < b.power
  end)
  return table.move(list, 1, 5, 1, {})
end)

local function refine(candidate) return {power = candidate.power, area = area(candidate.power, 200000)} end
local thorough = dlp.map(refine, best, {stage = "thorough", retries = 1, chunk = 1})

if dlp.IS_ROOT then
  table.sort(thorough, function(a, b) return math.abs(a.area - 0.75) < math.abs(b.area - 0.75) end)
  print(("the power whose curve encloses three quarters: %.1f (%.3f)"):format(thorough[1].power, thorough[1].area))
end
