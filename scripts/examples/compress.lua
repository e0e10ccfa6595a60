-- How small gzip makes files at three of its levels: a job whose work is to run a program.
--
--     ameexec -np 4 dlp-lua compress.lua FILE...
--
-- If a program fails, that is an error with the name of the program and its own message.

function examples()
  local list = {}
  for _, file in ipairs(arg) do
    for _, level in ipairs{1, 6, 9} do list[#list + 1] = {file = file, level = level} end
  end
  return list
end

function work(example)
  -- No shell reads this, so a file may have any name.
  local run = dlp.run{"gzip", "-c", "-n", "-" .. example.level, "--", example.file, check = true}
  return #run.stdout
end

function summarize(results)
  local list = examples()
  for i = 1, results.n do
    print(("%9d bytes at level %d: %s"):format(results[i], list[i].level, list[i].file))
  end
end
