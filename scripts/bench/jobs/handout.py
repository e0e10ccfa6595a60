"""N examples of K turns of the kernel with a Python tool: handout.py TOOL N K [RANKS [CHUNK]].

TOOL: plain, dlp_mpi, futures, joblib or dask.
"""

import json
import sys
import time

tool, count, turns = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
ranks = int(sys.argv[4]) if len(sys.argv) > 4 else 1
chunk = sys.argv[5] if len(sys.argv) > 5 else "auto"


def kernel(example):
    x = example
    for _ in range(turns):
        x = x * 0.5 + 1.0
    return x


def say(begin, results):
    seconds = time.perf_counter() - begin
    assert len(results) == count, (len(results), count)
    print(json.dumps({"seconds": seconds}), flush=True)


def plain():
    begin = time.perf_counter()
    say(begin, [kernel(example) for example in range(count)])


def dlp_mpi():
    import dlp_mpi

    dlp_mpi.barrier()
    begin = time.perf_counter()
    results = list(dlp_mpi.map_unordered(kernel, range(count)))
    if dlp_mpi.IS_MASTER:
        say(begin, results)


def futures():
    from mpi4py.futures import MPICommExecutor

    with MPICommExecutor() as executor:
        if executor is not None:
            list(executor.map(kernel, range(ranks)))  # The clock starts after the workers.
            begin = time.perf_counter()
            say(begin, list(executor.map(kernel, range(count), chunksize=int(chunk))))


def joblib():
    from joblib import Parallel, delayed

    with Parallel(n_jobs=ranks, batch_size=chunk if chunk == "auto" else int(chunk)) as parallel:
        parallel(delayed(kernel)(example) for example in range(ranks))
        begin = time.perf_counter()
        say(begin, parallel(delayed(kernel)(example) for example in range(count)))


def dask():
    from distributed import Client, LocalCluster

    with LocalCluster(n_workers=ranks, threads_per_worker=1, dashboard_address=None) as cluster, Client(cluster) as client:
        client.gather(client.map(kernel, range(ranks), pure=False))
        begin = time.perf_counter()
        say(begin, client.gather(client.map(kernel, range(count), pure=False)))


if __name__ == "__main__":
    {"plain": plain, "dlp_mpi": dlp_mpi, "futures": futures, "joblib": joblib, "dask": dask}[tool]()
