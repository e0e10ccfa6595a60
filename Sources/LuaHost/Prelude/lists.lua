-- examples() of a job whose examples are listed on the command line: the words of one list, or tables with one of each list.
local lists = ...

-- Elements of linked lists are taken side by side, as many as the shortest of these lists has.
local groups = {}
for _, list in ipairs(lists) do
  local group = groups[#groups]
  if not list.linked then
    group = {length = #list}
    groups[#groups + 1] = group
  end
  group.length = math.min(group.length, #list)
  group[#group + 1] = list
end

-- Returns a row for each pair of a row and an element of the group, which is appended to it.
local function combined(rows, group)
  local longer = {}
  for _, row in ipairs(rows) do
    for i = 1, group.length do
      local new = table.move(row, 1, #row, 1, {})
      for _, list in ipairs(group) do new[#new + 1] = list[i] end
      longer[#longer + 1] = new
    end
  end
  return longer
end

function examples()
  if #lists == 1 then return lists[1] end
  local rows = {{}}
  for _, group in ipairs(groups) do rows = combined(rows, group) end
  return rows
end
