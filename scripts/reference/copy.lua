-- What another rank gets of a value: a copy, its shared references and cycles kept, without metatables.

local sendable = {["nil"] = true, boolean = true, number = true, string = true}

local function step(key)
  return type(key) == "string" and key:match("^[%a_][%w_]*$") and "." .. key or "[" .. tostring(key) .. "]"
end

-- A copy of `value`; an error names the place of what cannot be sent, as in "result of example 17: .model is a function".
return function(value, name)
  local copies = {}

  local function copy(original, path)
    if sendable[type(original)] then return original end
    if type(original) ~= "table" then
      error(("%s: %s is a %s"):format(name, path == "" and "it" or path, type(original)), 0)
    end
    if not copies[original] then
      copies[original] = {}
      for key, element in next, original do
        copies[original][copy(key, path .. step(key))] = copy(element, path .. step(key))
      end
    end
    return copies[original]
  end

  return copy(value, "")
end
