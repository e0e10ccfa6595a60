-- The options of the module's loops, with the defaults of the command line.
local core = ...
local SIZE = core.size

-- Returns a value as it would be written in a script.
local function shown(value) return type(value) == "string" and ("%q"):format(value) or tostring(value) end

-- Raises an error with the script's current line as its position.
local function refuse(text, ...) error(core.where() .. text:format(...), 0) end

local known = {
  progress_bar = "boolean", pbar_prefix = "text", indexable = "boolean", allow_single_worker = "boolean",
  chunk = "count", root_works = "boolean", timeout = "seconds", cost = "function",
  -- Only of loops whose results come to rank 0:
  retries = "number of attempts", on_error = "what follows", stage = "name",
}
local of_maps = {retries = true, on_error = true, stage = true}

-- Returns what to add to an error about an unknown option.
local function guess(key)
  local names = {}
  for name in pairs(known) do names[#names + 1] = name end
  local meant = type(key) == "string" and core.nearest(key, table.concat(names, " "))
  return meant and ("; is %s meant?"):format(meant) or ""
end

-- Returns what an option's value must be; or false or nil if it is good.
local function objection(kind, value)
  if kind == "boolean" then return type(value) ~= "boolean" and "true or false" end
  if kind == "count" then return (math.type(value) ~= "integer" or value < 1) and "a whole number from 1 on" end
  if kind == "number of attempts" then
    return (math.type(value) ~= "integer" or value < 0) and "a whole number from 0 on"
  end
  if kind == "seconds" then
    return not (type(value) == "number" and value > 0 and value <= 1e9) and "a number of seconds above 0"
  end
  if kind == "function" then return type(value) ~= "function" and "a function" end
  if kind == "what follows" then return value ~= "stop" and value ~= "continue" and '"stop" or "continue"' end
  if kind == "name" then
    return (type(value) ~= "string" or value == "" or #value > 100 or not utf8.len(value) or value:find("%c"))
      and "a short text"
  end
end

-- Returns a loop's options, completed by those of the command line. `is_map`: whether its results come to rank 0.
return function(opts, name, is_map)
  if opts == nil then opts = {} end
  if type(opts) ~= "table" then refuse("%s: the options must be a table, not a %s", name, type(opts)) end
  for key, value in pairs(opts) do
    if not known[key] then refuse("%s: there is no option %s%s", name, tostring(key), guess(key)) end
    if of_maps[key] and not is_map then
      refuse("%s: %s is for map and map_unordered; the body of this loop is the script's own", name, key)
    end
    local expected = objection(known[key], value)
    if expected then refuse("%s: %s must be %s, not %s", name, key, expected, shown(value)) end
  end
  local chosen = {
    chunk = opts.chunk, works = opts.root_works, progress = opts.progress_bar ~= false, stage = opts.stage,
    prefix = opts.pbar_prefix ~= nil and tostring(opts.pbar_prefix) or nil,
    timeout = opts.timeout or core.timeout, has_results = is_map, cost = opts.cost,
  }
  if is_map then
    chosen.retries = opts.retries or core.retries
    chosen.continues = core.continues
    if opts.on_error then chosen.continues = opts.on_error == "continue" end
  end
  if chosen.works == nil then chosen.works = core.root_works end
  if SIZE == 1 then
    if opts.allow_single_worker == false then
      refuse("%s: there is one rank only, and allow_single_worker is false", name)
    end
    chosen.works = true
  end
  -- The options that the script gives to this loop. Only they count where this rank does the loop alone.
  chosen.own = {retries = math.min(opts.retries or 0, 1 << 40), continues = opts.on_error == "continue", timeout = opts.timeout}
  chosen.keeps = opts.stage ~= nil and core.keeps_stages
  return chosen
end
