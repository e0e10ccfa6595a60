-- JSON text of a Lua value, by the rules of dlp-lua's results: the same bytes on every run.
--
-- nil, NaN and infinities are null. A float keeps the mark of one (1.0) and has the fewest digits that read back as the
-- same number. Strings that are not UTF-8 are base64url without padding (RFC 8949, section 6.1). A table with the keys
-- 1..n is an array, so is an empty one; any other is an object, its integer keys first, by number, then the others by the
-- bytes of their text.

local quoted -- The text of a string, in quotes.

do
  local short = {
    ['"'] = '\\"', ["\\"] = "\\\\", ["\b"] = "\\b", ["\f"] = "\\f", ["\n"] = "\\n", ["\r"] = "\\r", ["\t"] = "\\t",
  }

  local function escape(character)
    return short[character] or ("\\u%04x"):format(character:byte())
  end

  local digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

  local function base64url(bytes)
    local text = bytes:gsub("..?.?", function(group)
      local a, b, c = group:byte(1, 3)
      local word = a << 16 | (b or 0) << 8 | (c or 0)
      local four = {}
      for place = 0, #group do
        local digit = word >> 18 - 6 * place & 63
        four[place + 1] = digits:sub(digit + 1, digit + 1)
      end
      return table.concat(four)
    end)
    return text
  end

  function quoted(text)
    -- utf8.len takes surrogates for invalid, and nothing above U+10FFFF, as RFC 3629 wants it.
    if not utf8.len(text) then text = base64url(text) end
    return '"' .. text:gsub('[%c"\\]', function(c) return c ~= "\127" and escape(c) or nil end) .. '"'
  end
end

-- The fewest significant digits that read back as the number, which is positive and finite, and the power of the first.
local function shortest(number)
  for precision = 0, 16 do
    local first, rest, exponent = ("%%.%de"):format(precision):format(number):match("^(%d)%.?(%d*)e(.*)$")
    local nearest, power = tonumber(first .. rest), tonumber(exponent)
    -- Above a power of two lie numbers twice as far apart as below it: there the second nearest may do where the
    -- nearest does not.
    for figures = nearest, nearest + 1 do
      if tonumber(("%de%d"):format(figures, power - precision)) == number then
        return tostring(figures), power
      end
    end
  end
end

-- A float as text: plain from 1e-4 up to 2^53, else with an exponent.
local function float(number)
  if number ~= number or number == math.huge or number == -math.huge then return "null" end
  if number == 0 then return 1 / number < 0 and "-0.0" or "0.0" end
  local sign = number < 0 and "-" or ""
  local figures, power = shortest(math.abs(number))
  if power < -4 or math.abs(number) > 2.0 ^ 53 then
    local rest = #figures > 1 and "." .. figures:sub(2) or ""
    return ("%s%s%se%+03d"):format(sign, figures:sub(1, 1), rest, power)
  elseif power < 0 then
    return sign .. "0." .. ("0"):rep(-power - 1) .. figures
  end
  figures = figures .. ("0"):rep(power + 2 - #figures)
  return sign .. figures:sub(1, power + 1) .. "." .. figures:sub(power + 2)
end

-- Whether the keys of a table are 1..n, and n.
local function sequence(table)
  local count = 0
  for _ in next, table do count = count + 1 end
  for index = 1, count do
    if rawget(table, index) == nil then return false end
  end
  return true, count
end

local function sorted_keys(object)
  local keys, texts = {}, {}
  for key in next, object do
    local kind = math.type(key) or type(key)
    if kind ~= "integer" and kind ~= "float" and kind ~= "string" and kind ~= "boolean" then
      error("a " .. kind .. " as a key cannot be written as JSON", 0)
    end
    local text = tostring(key)
    if kind == "float" and key - key == 0 then text = float(key) end
    if texts[text] then error("two keys with the text " .. quoted(text) .. " cannot be written as JSON", 0) end
    texts[text] = true
    keys[#keys + 1] = {key = key, text = text, integer = kind == "integer"}
  end
  table.sort(keys, function(a, b)
    if a.integer ~= b.integer then return a.integer end
    if a.integer then return a.key < b.key end
    return a.text < b.text
  end)
  return keys
end

local function append(out, value, open)
  local kind = math.type(value) or type(value)
  if kind == "nil" then
    out[#out + 1] = "null"
  elseif kind == "boolean" or kind == "integer" then
    out[#out + 1] = tostring(value)
  elseif kind == "float" then
    out[#out + 1] = float(value)
  elseif kind == "string" then
    out[#out + 1] = quoted(value)
  else
    if open[value] then error("a value that contains itself cannot be written as JSON", 0) end
    open[value] = true
    local array, count = sequence(value)
    if array then
      out[#out + 1] = "["
      for index = 1, count do
        if index > 1 then out[#out + 1] = "," end
        append(out, rawget(value, index), open)
      end
      out[#out + 1] = "]"
    else
      for place, key in ipairs(sorted_keys(value)) do
        out[#out + 1] = (place == 1 and "{" or ",") .. quoted(key.text) .. ":"
        append(out, value[key.key], open)
      end
      out[#out + 1] = "}"
    end
    open[value] = nil
  end
end

-- The JSON text of `value`, which is made of nil, booleans, numbers, strings and tables.
return function(value)
  local out = {}
  append(out, value, {})
  return table.concat(out)
end
