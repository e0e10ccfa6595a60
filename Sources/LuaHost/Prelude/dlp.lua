-- The module dlp: its constants. Its functions are loaded when the first is used, since most jobs need none of them.
local core = ...
local concat, format = table.concat, string.format
local error, next, rawget, rawset, setmetatable, type = error, next, rawget, rawset, setmetatable, type

local dlp = {
  RANK = core.rank, SIZE = core.size,
  LOCAL_RANK = core.local_rank, LOCAL_SIZE = core.local_size,
  MASTER = 0, ROOT = 0,
  IS_MASTER = core.rank == 0, IS_ROOT = core.rank == 0,
  version = core.version, hostname = core.hostname, backend = core.backend,
  options = {}, collection = {},
}

-- Returns the names of a table's fields, separated by spaces.
local function names(fields)
  local list = {}
  for name in next, fields do
    if type(name) == "string" then list[#list + 1] = name end
  end
  return concat(list, " ")
end

-- Raises an error if `key` looks misspelt, since its nil would fail elsewhere. Other missing fields are nil: scripts may ask.
local function refuse_slip(where, key, known)
  local meant = type(key) == "string" and core.nearest(key, known)
  if meant then error(format("there is no %s.%s; is %s.%s meant?", where, key, where, meant), 3) end
end

local function assign(self, key, value)
  if self == dlp and type(value) == "table" then refuse_slip("dlp", key, "options") end
  rawset(self, key, value)
end

local function checked(fields, where)
  return setmetatable(fields, {
    __index = function(self, key) refuse_slip(where, key, names(self)) end,
    __newindex = assign,
  })
end

local function complete()
  setmetatable(dlp, nil)
  setmetatable(dlp.collection, nil)
  core.load("loops")(dlp, core)
  core.load("collectives")(dlp, core)
  core.load("programs")(dlp, core)
  core.load("inputs")(dlp, core)
  core.load("collection")(dlp, core)
  core.load("course")(dlp, core)
  checked(dlp, "dlp")
  checked(dlp.json, "dlp.json")
  checked(dlp.collection, "dlp.collection")
end

local function completing(where)
  return {
    __index = function(self, key)
      complete()
      local value = rawget(self, key)
      if value == nil then refuse_slip(where, key, names(self)) end
      return value
    end,
    __newindex = assign,
    __pairs = function(self)
      complete()
      return next, self, nil
    end,
  }
end

setmetatable(dlp, completing("dlp"))
setmetatable(dlp.collection, completing("dlp.collection"))
return dlp
