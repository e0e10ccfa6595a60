-- The 20 most frequent words of a text on standard input.
--
--     ameexec -np 4 dlp-lua wordcount.lua < text
--
-- Without examples() the examples are the lines of the root's standard input. A word is a run of letters, digits and
-- apostrophes. All bytes of UTF-8 letters count as letters. Upper and lower case are the same in ASCII only.

local WORD = "[%w'\128-\255]+"
local total = {}

function work(line)
  local counts = {}
  for word in line:lower():gmatch(WORD) do
    counts[word] = (counts[word] or 0) + 1
  end
  return counts
end

-- Runs on the root as the counts come in, while other lines are still being counted.
function collect(counts)
  for word, count in pairs(counts) do
    total[word] = (total[word] or 0) + count
  end
end

function summarize()
  local words = {}
  for word in pairs(total) do
    words[#words + 1] = word
  end
  table.sort(words, function(a, b)
    if total[a] ~= total[b] then return total[a] > total[b] end
    return a < b
  end)
  for place = 1, math.min(20, #words) do
    print(("%8d  %s"):format(total[words[place]], words[place]))
  end
end
