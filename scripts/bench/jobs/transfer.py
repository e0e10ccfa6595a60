"""Sends a value between ranks with dlp_mpi, like transfer.lua: transfer.py gather|bcast|map KIND SIZE REPEATS."""

import gc
import json
import statistics
import sys
import time

import dlp_mpi
from payload import payload

operation, kind, size, repeats = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])
value, counted = payload(kind, size)
pieces = 16


def piece(_):
    return value


def gather():
    everything = dlp_mpi.gather(value)
    assert not dlp_mpi.IS_MASTER or len(everything[-1]) == len(value)
    return counted * (dlp_mpi.SIZE - 1)


def bcast():
    copy = dlp_mpi.bcast(value if dlp_mpi.IS_MASTER else None)
    assert len(copy) == len(value)
    dlp_mpi.barrier()
    return counted * (dlp_mpi.SIZE - 1)


def map_():
    everything = list(dlp_mpi.map_unordered(piece, range(pieces)))
    assert not dlp_mpi.IS_MASTER or len(everything[-1]) == len(value)
    return counted * pieces


times = []
for _ in range(repeats):
    gc.collect()
    dlp_mpi.barrier()
    begin = time.perf_counter()
    travelled = {"gather": gather, "bcast": bcast, "map": map_}[operation]()
    times.append(time.perf_counter() - begin)
if dlp_mpi.IS_MASTER:
    print(json.dumps({"seconds": statistics.median(times), "bytes": travelled}), flush=True)
