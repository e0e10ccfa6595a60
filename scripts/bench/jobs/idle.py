"""Does the same as idle.lua with dlp_mpi: idle.py COUNT LENGTH."""

import sys
import time

import dlp_mpi

for _ in dlp_mpi.map_unordered(lambda _: time.sleep(float(sys.argv[2])), range(int(sys.argv[1]))):
    pass
