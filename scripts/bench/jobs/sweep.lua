-- A parameter sweep over damping and drive of a driven pendulum, for its mean squared speed: sweep.lua SIDE STEPS.
local side, steps = math.tointeger(arg[1]), math.tointeger(arg[2])

function examples()
  local list = {}
  for damping = 1, side do
    for drive = 1, side do list[#list + 1] = {damping = 0.02 * damping, drive = 0.05 * drive} end
  end
  return list
end

function work(example)
  local sin, cos, damping, drive = math.sin, math.cos, example.damping, example.drive
  local angle, speed, sum, step = 0.2, 0.0, 0.0, 0.01
  for i = 1, steps do
    speed = speed + step * (drive * cos(0.6667 * i * step) - sin(angle) - damping * speed)
    angle = angle + step * speed
    sum = sum + speed * speed
  end
  return sum / steps
end

function summarize(results)
  local sum, fastest = 0.0, 1
  for index = 1, results.n do
    sum = sum + results[index]
    if results[index] > results[fastest] then fastest = index end
  end
  print(("%d pendulums, %.6f on average, the fastest is %d with %.6f"):format(
    results.n, sum / results.n, fastest, results[fastest]))
end
