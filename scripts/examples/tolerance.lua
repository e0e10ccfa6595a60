-- A bootstrap that ends when it is certain enough: the standard error of a median, to a given accuracy.
--
--     ameexec -np 4 dlp-lua tolerance.lua [ACCURACY]
--
-- Each example draws a sample of the data with replacement. How many samples are needed is not known beforehand: the job
-- ends when doubling the number of samples has changed the standard error by less than the share ACCURACY of it. The
-- answer is the same on any number of ranks.

dlp.options = {collect = "order"}

local accuracy = arg[1] and tonumber(arg[1]) or 0.01
local data = {}
for i = 1, 99 do data[i] = 10 + ((i * 7919) % 101) ^ 1.5 / 100 end
local n, mean, squares, before = 0, 0, 0, nil

function examples() return 1000000 end

function work()
  local sample = {}
  for i = 1, #data do sample[i] = data[math.random(#data)] end
  table.sort(sample)
  return sample[(#sample + 1) // 2]
end

function collect(median)
  n = n + 1
  local difference = median - mean
  mean = mean + difference / n
  squares = squares + difference * (median - mean)
  if n < 64 or n & (n - 1) ~= 0 then return end
  local deviation = math.sqrt(squares / (n - 1))
  if before and math.abs(deviation - before) < accuracy * deviation then dlp.stop() end
  before = deviation
end

function summarize(results)
  print(("median %.4f, standard error %.4f, from %d samples"):format(mean, before, results.n))
end
