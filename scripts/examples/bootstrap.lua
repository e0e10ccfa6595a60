-- How certain is a slope? A bootstrap in R: each example fits a line to a sample of the cars, drawn with replacement.
--
--     ameexec -np 4 dlp-lua bootstrap.lua [SAMPLES]
--
-- The cars are R's own data set mtcars: miles per gallon by weight. The number of a sample is its seed, so the answer is
-- the same on any number of ranks.

local here = arg[0]:match("^(.*/)") or ""
local samples = arg[1] and math.tointeger(tonumber(arg[1])) or 1000
local fit = dlp.coprocess{"Rscript", here .. "bootstrap.R"}

function examples()
  return samples
end

function work(sample)
  return fit(sample)
end

function summarize(slopes)
  local all, sum = {}, 0
  for i = 1, slopes.n do
    if slopes[i] then -- An example that failed for good has no result.
      all[#all + 1] = slopes[i]
      sum = sum + slopes[i]
    end
  end
  table.sort(all)
  local function quantile(share) return all[math.max(1, math.ceil(share * #all))] end
  print(("mpg by weight: %.3f on average of %d samples, 95 %% between %.3f and %.3f"):format(
    sum / #all, #all, quantile(0.025), quantile(0.975)))
end
