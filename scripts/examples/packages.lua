-- How much each Debian package pulls in: the size of the transitive closure of its dependencies.
--
--     ameexec -np 4 dlp-lua packages.lua [PACKAGES]
--
-- PACKAGES is a Debian package index, plain or compressed; the default is the largest that apt has on this machine.
--
-- The rules: Depends and Pre-Depends count, Recommends does not. Version and architecture restrictions are ignored. Of
-- alternatives (a | b) the first that exists is taken; if none exists, the dependency is ignored. A package exists if the
-- index has it or if another package Provides it; in the second case the first provider by name takes its place. If the
-- index has several versions of a package, the first counts. A package is not part of its own closure.

local APT_HELPER = "/usr/lib/apt/apt-helper"

local function lines_of(command)
  local pipe = assert(io.popen(command))
  local lines = {}
  for line in pipe:lines() do
    lines[#lines + 1] = line
  end
  assert(pipe:close(), "failed: " .. command)
  return lines
end

local function largest_index()
  local largest, size = nil, -1
  for _, path in ipairs(lines_of("apt-get indextargets --format '$(FILENAME)' 'Created-By: Packages'")) do
    local file = io.open(path)
    local bytes = file and file:seek("end") or -1
    if file then file:close() end
    if bytes > size then largest, size = path, bytes end
  end
  return largest or error("apt has no package index here: run apt-get update, or name an index")
end

local function open_index(path)
  local file = assert(io.open(path))
  local unpack = ({lz4 = "lz4 -dc", xz = "xz -dc", gz = "gzip -dc"})[path:match("%.(%w+)$")]
  if not unpack then return file end
  file:close()
  -- apt's helper reads all these formats, even if lz4 and xz are not installed.
  local apt = io.open(APT_HELPER)
  if apt then
    apt:close()
    unpack = APT_HELPER .. " cat-file"
  end
  return assert(io.popen(unpack .. " '" .. path:gsub("'", "'\\''") .. "'"))
end

-- Returns the fields of each package by name, and the first provider of each provided name.
local function read(path)
  local fields, providers = {}, {}
  local wanted = {Package = true, Depends = true, ["Pre-Depends"] = true, Provides = true}
  local index = open_index(path)
  local current = {}

  local function finish()
    local name = current.Package
    if name and not fields[name] then
      fields[name] = current
      for provided in (current.Provides or ""):gmatch("([^%s,]+)[^,]*") do
        if not providers[provided] or name < providers[provided] then providers[provided] = name end
      end
    end
    current = {}
  end

  for line in index:lines() do
    if line == "" then
      finish()
    else
      local field, value = line:match("^([%w-]+): (.*)")
      if wanted[field] then current[field] = value end
    end
  end
  finish()
  assert(index:close() and next(fields), path .. ": cannot be read as a package index")
  return fields, providers
end

local names, needs = {}, {} -- all packages, sorted; and for each package the packages that it depends on directly

do
  local fields, providers = read(arg[1] or largest_index())

  -- Appends the packages that a field such as "a (>= 1), b | c:any" asks for.
  local function append(field, list)
    for dependency in (field or ""):gmatch("[^,]+") do
      for alternative in dependency:gmatch("[^|]+") do
        local wanted = alternative:match("^%s*([^%s:(]+)")
        local package = fields[wanted] and wanted or providers[wanted]
        if package then
          list[#list + 1] = package
          break
        end
      end
    end
  end

  for name, own in pairs(fields) do
    names[#names + 1] = name
    needs[name] = {}
    append(own["Pre-Depends"], needs[name])
    append(own.Depends, needs[name])
  end
  -- The order of pairs differs between processes, and all ranks must agree on the examples.
  table.sort(names)
end

function examples()
  return names
end

function work(name)
  local closure, reached, done = {name}, {[name] = true}, 0
  while done < #closure do
    done = done + 1
    for _, needed in ipairs(needs[closure[done]]) do
      if not reached[needed] then
        reached[needed] = true
        closure[#closure + 1] = needed
      end
    end
  end
  return #closure - 1
end

function summarize(results)
  local total, done, largest = 0, 0, nil
  for index = 1, results.n do
    local size = results[index]
    if size then -- An example that failed for good has no result.
      total, done = total + size, done + 1
      if not largest or size > results[largest] then largest = index end
    end
  end
  print(("%d packages"):format(results.n))
  print(("largest closure: %s, %d packages"):format(names[largest], results[largest]))
  print(("mean closure: %.2f packages"):format(total / done))
end
