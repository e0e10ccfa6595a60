"""Programs on joblib: programs_joblib.py PROCESSES N|DIRECTORY; N times true, or gzip of the directory's files."""

import os
import subprocess
import sys

from joblib import Parallel, delayed

ranks, what = int(sys.argv[1]), sys.argv[2]
if what.isdigit():
    commands = [["true"]] * int(what)
else:
    commands = [["gzip", "-c", os.path.join(what, name)] for name in os.listdir(what)]
done = Parallel(n_jobs=ranks)(
    delayed(subprocess.run)(command, stdout=subprocess.DEVNULL, check=True) for command in commands
)
assert len(done) == len(commands)
