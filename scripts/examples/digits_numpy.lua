-- The digits of digits.lua, classified by NumPy: the same answers, computed by a Python program.
--
--     ameexec -np 4 dlp-lua digits_numpy.lua [K [CSV]]
--
-- The variable PYTHON names the interpreter; without it, it is python3. The interpreter needs NumPy.

local here = arg[0]:match("^(.*/)") or ""
-- examples() and summarize() are the same. Only work() is different.
dofile(here .. "digits.lua")

local classify = dlp.coprocess{
  os.getenv("PYTHON") or "python3", here .. "digits_numpy.py", arg[1] or 3, arg[2] or here .. "data/digits.csv",
  -- One thread for each rank, since there are as many ranks as cores.
  env = {OMP_NUM_THREADS = 1, OPENBLAS_NUM_THREADS = 1},
}

function work(index)
  return classify(index)
end
