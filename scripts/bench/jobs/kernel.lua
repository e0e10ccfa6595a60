-- The kernel of all jobs: a chain of multiplications and additions that no compiler can shorten.
local turns = ...
return function(example)
  local x = example
  for _ = 1, turns do x = x * 0.5 + 1.0 end
  return x
end
