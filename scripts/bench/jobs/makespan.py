"""One example per line of FILE, its length in seconds: makespan.py TOOL FILE spin|sleep [RANKS [BATCH]]."""

import json
import sys
import time

tool, path, way = sys.argv[1:4]
ranks = int(sys.argv[4]) if len(sys.argv) > 4 else 1
batch = sys.argv[5] if len(sys.argv) > 5 else "auto"
with open(path) as file:
    lengths = [float(line) for line in file]


def spin(length):
    end = time.thread_time() + length
    while time.thread_time() < end:
        pass
    return length


def say(begin, results):
    seconds = time.perf_counter() - begin
    assert len(results) == len(lengths)
    print(json.dumps({"seconds": seconds}), flush=True)


def sleep(length):
    time.sleep(length)
    return length


work = {"spin": spin, "sleep": sleep}[way]


def dlp_mpi():
    import dlp_mpi

    dlp_mpi.barrier()
    begin = time.perf_counter()
    results = list(dlp_mpi.map_unordered(work, lengths))
    if dlp_mpi.IS_MASTER:
        say(begin, results)


def joblib():
    from joblib import Parallel, delayed

    with Parallel(n_jobs=ranks, batch_size=batch if batch == "auto" else int(batch)) as parallel:
        parallel(delayed(work)(0) for _ in range(ranks))
        begin = time.perf_counter()
        say(begin, parallel(delayed(work)(length) for length in lengths))


if __name__ == "__main__":
    {"dlp_mpi": dlp_mpi, "joblib": joblib}[tool]()
