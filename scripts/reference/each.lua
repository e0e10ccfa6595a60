-- The examples of a loop, one by one.

-- An iterator of index and example over what `examples()` may return: a sequence, a whole number n for 1..n, or an
-- iterator as a generic `for` takes it.
return function(examples, state, control)
  local index, count, draw = 0, math.tointeger(examples), nil
  local meta = getmetatable(examples)
  if type(examples) == "table" and not (meta and meta.__call) then
    count = #examples
    draw = function() return examples[index] end
  elseif count then
    draw = function() return index end
  elseif type(examples) == "function" or type(examples) == "table" then
    draw = function()
      control = examples(state, control)
      return control
    end
  else
    error("examples are a table, a whole number or an iterator, not a " .. type(examples), 0)
  end

  return function()
    if count and index >= count then return nil end
    index = index + 1
    local example = draw()
    if count or example ~= nil then return index, example end
  end
end
