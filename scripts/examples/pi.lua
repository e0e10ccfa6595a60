-- Pi by throwing darts at a square and counting those inside the circle: a repeatable Monte Carlo job.
--
--     ameexec -np 4 dlp-lua pi.lua [SAMPLES [EXAMPLES]]      samples per example, number of examples
--
-- For every example dlp-lua seeds math.random from --seed and the example's index. So the digits are the same on 1 rank
-- and on 1,000, and the script need not do anything for that.

local function count(text, default)
  local number = math.tointeger(tonumber(text or default))
  assert(number and number >= 1, "SAMPLES and EXAMPLES are whole numbers from 1")
  return number
end

local samples, batches = count(arg[1], 100000), count(arg[2], 200)

function examples()
  return batches
end

function work()
  local random, inside = math.random, 0
  for _ = 1, samples do
    local x, y = random(), random()
    if x * x + y * y < 1 then inside = inside + 1 end
  end
  return inside
end

function summarize(results)
  local inside, done = 0, 0
  for index = 1, results.n do
    if results[index] then -- An example that failed for good has no result.
      inside, done = inside + results[index], done + 1
    end
  end
  local darts = samples * done
  local share = inside / darts
  local deviation = 4 * math.sqrt(share * (1 - share) / darts)
  print(("pi = %.6f, standard deviation %.6f, from %d darts"):format(4 * share, deviation, darts))
end
