-- The sequences that the module's loops go through.
local core = ...

-- Returns a value as it would be written in a script.
local function shown(value) return type(value) == "string" and ("%q"):format(value) or tostring(value) end

-- Raises an error with the script's current line as its position.
local function refuse(text, ...) error(core.where() .. text:format(...), 0) end

-- More elements than any list has, but few enough that counting the ranks' shares does not overflow.
local LONGEST = 1 << 62

local function iterator(next_value, name)
  local position, is_over = 0, false
  return function(i)
    if i <= position then
      error(("%s: element %d came back from a rank that left the loop or was lost, but an iterator cannot go back"):format(name, i), 0)
    end
    local value
    repeat
      -- Like `for`, this never calls an iterator again after its end: it might fail then.
      if not is_over then value = next_value() end
      is_over = value == nil
      if is_over then return nil, position end
      position = position + 1
    until position == i
    return value
  end
end

-- Returns the elements of `seq`. `get` returns the element at an index. `length` is their number; nil for an iterator, of which
-- every rank has its own copy that it runs forward. `runs_code` says whether getting an element runs code of the script. By
-- `value` ranks can tell whether they have the same elements.
return function(seq, name)
  local kind = type(seq)
  local meta = getmetatable(seq)
  local count = kind == "number" and math.tointeger(seq)
  if count and 0 <= count and count <= LONGEST then
    return {get = function(i) return i end, length = count, value = count}
  elseif kind == "function" or kind == "userdata" and type(meta) == "table" and meta.__call then
    return {get = iterator(seq, name), runs_code = true}
  elseif kind == "table" or kind == "userdata" then
    local length = math.tointeger(#seq)
    if not length or length < 0 or length > LONGEST then
      refuse("%s: the sequence has the length %s", name, shown(#seq))
    end
    if length == 0 and kind == "table" and not (type(meta) == "table" and meta.__len) and next(seq) ~= nil then
      refuse("%s: the table has keys, but no first element, [1]; expected a sequence", name)
    end
    local function get(i)
      local value = seq[i]
      if value == nil then
        error(("%s: the sequence has no element %d, although it has %d"):format(name, i, length), 0)
      end
      return value
    end
    return {get = get, length = length, runs_code = meta ~= nil, value = meta == nil and seq or nil}
  end
  local what = kind == "number" and shown(seq) or "a " .. kind
  refuse("%s: expected a sequence, a number from 0 on or an iterator, got %s", name, what)
end
