-- Collections that are filled on all ranks and read on the root: dlp.collection.
local dlp, core = ...

local Nested = {}

local function path_text(path)
  local text = {}
  for i, key in ipairs(path) do text[i] = type(key) == "string" and ("[%q]"):format(key) or ("[%s]"):format(tostring(key)) end
  return table.concat(text)
end

local function nested(tree, path)
  return setmetatable({}, {
    __index = function(_, key)
      if #path == 0 and key == "gather" then return Nested.gather end
      local longer = table.move(path, 1, #path, 1, {})
      longer[#longer + 1] = key
      return nested(tree, longer)
    end,
    __newindex = function(_, key, value)
      local node = tree
      for _, step in ipairs(path) do
        local child = node.children[step]
        if not child then
          child = {children = {}}
          node.children[step] = child
        end
        node = child
        if not node.children then break end
      end
      if not node.children or node.children[key] ~= nil then
        local full = table.move(path, 1, #path, 1, {})
        full[#full + 1] = key
        error(("NestedDict: %s has been written already; nothing may be written twice"):format(path_text(full)), 2)
      end
      node.children[key] = {value = value}
    end,
    __name = "NestedDict", tree = tree,
  })
end

local function merge(into, from, rank, path)
  for key, child in pairs(from.children) do
    path[#path + 1] = key
    local present = into.children[key]
    if present == nil then
      -- A copy: rank 0's own tree is one of those that are read, and merging the next tree would write to it.
      local copy = {rank = rank, value = child.value, children = child.children and {}}
      into.children[key] = copy
      if copy.children then merge(copy, child, rank, path) end
    elseif present.children and child.children then
      merge(present, child, rank, path)
    else
      error(("NestedDict: ranks %d and %d have both written %s"):format(present.rank or 0, rank, path_text(path)), 0)
    end
    path[#path] = nil
  end
end

local function plain(node)
  if not node.children then return node.value end
  local result = {}
  for key, child in pairs(node.children) do result[key] = plain(child) end
  return result
end

function Nested.gather(self)
  core.together("gather")
  local all = core.gather(getmetatable(self).tree)
  if not all then return nil end
  local whole = {children = {}}
  for rank = 1, all.n do merge(whole, all[rank], rank - 1, {}) end
  return plain(whole)
end

function dlp.collection.NestedDict(values)
  if values ~= nil then error("NestedDict: it begins empty, and takes no values", 2) end
  return nested({children = {}}, {})
end

local List = {}

function List:append(value) self.items[#self.items + 1] = value end

function List:extend(values) for _, value in ipairs(values) do self:append(value) end end

function List:gather()
  core.together("gather")
  local all = core.gather(self.items)
  if not all then return nil end
  local items = {}
  for rank = 1, all.n do table.move(all[rank], 1, #all[rank], #items + 1, items) end
  return items
end

local list_meta = {
  __index = function(self, key)
    if math.type(key) == "integer" then return rawget(self, "items")[key] end
    return List[key]
  end,
  -- `list[#list + 1] = value` and table.insert append, as to any list. Existing elements cannot be set.
  __newindex = function(self, key, value)
    if key ~= #self.items + 1 then
      error(("UnorderedList: %s cannot be set; values are appended only"):format(tostring(key)), 2)
    end
    self:append(value)
  end,
  __len = function(self) return #self.items end,
  __name = "UnorderedList",
}

function dlp.collection.UnorderedList(values)
  local list = setmetatable({items = {}}, list_meta)
  if values ~= nil then list:extend(values) end
  return list
end
