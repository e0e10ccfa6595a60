-- The digits of digits.lua, classified by NumPy: the same answers, from a work in Python.
--
--     ameexec -np 4 dlp-lua digits_numpy.lua [K [CSV]]
--
-- PYTHON names the interpreter, python3 where it is not set; it needs NumPy.

local here = arg[0]:match("^(.*/)") or ""
-- examples() and summarize() are the same. Only work is another.
dofile(here .. "digits.lua")

local classify = dlp.coprocess{
  os.getenv("PYTHON") or "python3", here .. "digits_numpy.py", arg[1] or 3, arg[2] or here .. "data/digits.csv",
  -- The ranks are as many as there are cores.
  env = {OMP_NUM_THREADS = 1, OPENBLAS_NUM_THREADS = 1},
}

function work(index)
  return classify(index)
end
