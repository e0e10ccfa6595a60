-- The smallest job: square five numbers on any ranks, and print the answers in order.
--
--     ameexec -np 4 dlp-lua square.lua

function examples()
  return {3, 1, 4, 1, 5}
end

function work(example)
  return example * example
end

function summarize(results)
  print(table.concat(results, " "))
end
