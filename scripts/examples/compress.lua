-- How small gzip makes files at some of its levels: any program as the work.
--
--     ameexec -np 4 dlp-lua compress.lua FILE...
--
-- A program that fails is an error, which names it and says what it has said.

function examples()
  local list = {}
  for _, file in ipairs(arg) do
    for _, level in ipairs{1, 6, 9} do list[#list + 1] = {file = file, level = level} end
  end
  return list
end

function work(example)
  -- No shell: a file may have any name.
  local run = dlp.run{"gzip", "-c", "-n", "-" .. example.level, "--", example.file, check = true}
  return #run.stdout
end

function summarize(results)
  local list = examples()
  for i = 1, results.n do
    print(("%9d bytes at level %d: %s"):format(results[i], list[i].level, list[i].file))
  end
end
