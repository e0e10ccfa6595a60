-- The values that are sent and encoded: payload(KIND, SIZE) returns one of about SIZE million bytes, and its bytes. A number
-- counts eight bytes, a string its length, a boolean one; keys and format do not count. payload.py has the same values.
local kinds = {}

function kinds.numbers(size)
  local value = {}
  for i = 1, size * 125000 do value[i] = i / 7 end
  return value, 8 * #value
end

function kinds.strings(size)
  local value = {}
  for i = 1, size * 100000 do value[i] = ("%010d"):format(i) end
  return value, 10 * #value
end

function kinds.records(size)
  local value = {}
  for i = 1, size * 25000 do
    local position, tags = {x = i / 7, y = i / 3}, {"ab", "cd"}
    value[i] = {id = i, name = ("item%07d"):format(i), position = position, tags = tags, done = true}
  end
  return value, 40 * #value
end

function kinds.string(size) return ("payload\0"):rep(size * 125000), size * 1000000 end

return function(kind, size) return kinds[kind](math.tointeger(size)) end
