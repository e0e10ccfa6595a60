-- Leave-one-out k-nearest-neighbours on 1,797 handwritten digits: each digit is classified by all others.
--
--     ameexec -np 4 dlp-lua digits.lua [K [CSV]]
--
-- Euclidean distance, majority vote. Equally distant neighbours rank by their place in the file; among labels with
-- equally many votes the smallest wins. Pixels are integers, so squared distances are exact and ties are real ties.
--
-- Compared with scikit-learn 1.9.1, KNeighborsClassifier(n_neighbors=K, algorithm="brute", metric="euclidean"), fitted
-- 1,797 times on all digits but one: every digit gets the same prediction.
--
--     K                                                   1     3     5     7
--     right, of 1,797, in both                         1776  1777  1775  1771
--     digits with a tie across the K-th neighbour        18    33    34    46
--     of these, digits whose vote depends on the tie      0     1     0     0
--
-- scikit-learn does not promise which of several equally distant neighbours it takes. The only vote that depends on this
-- is that of digit 1633. There, too, scikit-learn took the neighbour that comes first in the file.

local k = arg[1] and math.tointeger(tonumber(arg[1])) or 3
local path = arg[2] or (arg[0]:match("^(.*/)") or "") .. "data/digits.csv"
assert(not arg[1] or math.tointeger(tonumber(arg[1])) and k >= 1, "K must be a whole number from 1")

-- Read here and not in setup(), because the root needs the labels for its summary even if it does no work.
local images, labels = {}, {}
for line in assert(io.open(path)):lines() do
  local row = {}
  for number in line:gmatch("%d+") do
    row[#row + 1] = math.tointeger(number)
  end
  assert(#row == 65, path .. ": a row is not 64 pixels and a label")
  labels[#labels + 1] = table.remove(row)
  images[#images + 1] = row
end
assert(k < #images, "K must be less than the number of digits")

function examples()
  return #images
end

function work(index)
  local image = images[index]
  -- The k nearest so far, nearest first. At the start they are no digit, infinitely far away.
  local distances, neighbours = {}, {}
  for place = 1, k do
    distances[place], neighbours[place] = math.huge, 0
  end

  for other = 1, #images do
    if other ~= index then
      local candidate, farthest, distance = images[other], distances[k], 0
      for row = 1, 57, 8 do
        for pixel = row, row + 7 do
          local difference = image[pixel] - candidate[pixel]
          distance = distance + difference * difference
        end
        if distance >= farthest then break end -- Most candidates are too far after a few rows.
      end
      if distance < farthest then
        local place = k
        while place > 1 and distance < distances[place - 1] do
          distances[place], neighbours[place] = distances[place - 1], neighbours[place - 1]
          place = place - 1
        end
        distances[place], neighbours[place] = distance, other
      end
    end
  end

  local votes, winner = {}, 0
  for label = 0, 9 do
    votes[label] = 0
  end
  for _, neighbour in ipairs(neighbours) do
    local label = labels[neighbour]
    votes[label] = votes[label] + 1
  end
  for label = 1, 9 do
    if votes[label] > votes[winner] then winner = label end
  end
  return winner
end

function summarize(results)
  local correct, confusion = 0, {}
  for label = 0, 9 do
    confusion[label] = {}
    for predicted = 0, 9 do
      confusion[label][predicted] = 0
    end
  end
  for index = 1, results.n do
    local label, predicted = labels[index], results[index]
    if predicted then -- An example that failed for good has no result.
      confusion[label][predicted] = confusion[label][predicted] + 1
      if predicted == label then correct = correct + 1 end
    end
  end

  print(("accuracy %.4f (%d of %d), k = %d, Euclidean"):format(correct / results.n, correct, results.n, k))
  print("\nconfusion matrix: a row per digit, a column per prediction")
  print("     " .. ("%5d"):rep(10):format(0, 1, 2, 3, 4, 5, 6, 7, 8, 9))
  for label = 0, 9 do
    print(("%5d"):rep(11):format(label, table.unpack(confusion[label], 0, 9)))
  end
end
