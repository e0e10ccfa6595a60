-- The module dlp: its constants. Its functions are loaded when one is asked for, since most jobs need none of them.
local core = ...

local dlp = {
  RANK = core.rank, SIZE = core.size,
  MASTER = 0, ROOT = 0,
  IS_MASTER = core.rank == 0, IS_ROOT = core.rank == 0,
  version = core.version, hostname = core.hostname, backend = core.backend,
  options = {}, collection = {},
}

local function complete()
  setmetatable(dlp, nil)
  setmetatable(dlp.collection, nil)
  core.load("functions")(dlp, core)
  core.load("collection")(dlp, core)
end

local function completing()
  return {
    __index = function(self, key)
      complete()
      return self[key]
    end,
    __pairs = function(self)
      complete()
      return next, self, nil
    end,
  }
end

setmetatable(dlp, completing())
setmetatable(dlp.collection, completing())
return dlp
