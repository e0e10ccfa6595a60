"""A real job with a Python tool: real.py JOB plain|joblib|dask [RANKS]. Prints what real.lua prints."""

import json
import sys
import time

start = time.monotonic()

import real_work  # noqa: E402

examples, work, lines = real_work.jobs[sys.argv[1]]
tool, ranks = sys.argv[2], int(sys.argv[3]) if len(sys.argv) > 3 else 1


def plain(everything):
    return [work(example) for example in everything]


def joblib(everything):
    from joblib import Parallel, delayed

    return Parallel(n_jobs=ranks)(delayed(work)(example) for example in everything)


def dask(everything):
    from distributed import Client, LocalCluster

    # Dask's guide asks for larger tasks than most of these examples are.
    size = -(-len(everything) // (16 * ranks))
    parts = [everything[at : at + size] for at in range(0, len(everything), size)]
    with LocalCluster(n_workers=ranks, threads_per_worker=1, dashboard_address=None) as cluster:
        with Client(cluster) as client:
            done = client.gather(client.map(real_work.work_through, [sys.argv[1]] * len(parts), parts, pure=False))
    return [result for part in done for result in part]


def main():
    began = time.monotonic()
    results = {"plain": plain, "joblib": joblib, "dask": dask}[tool](examples())
    ended = time.monotonic()
    printed = 0
    for byte in "".join(line + "\n" for line in lines(results)).encode("latin-1"):
        printed = (printed * 31 + byte) % 2**32
    seconds = time.monotonic() - start
    print(json.dumps({"seconds": seconds, "loop": ended - began, "printed": printed}), flush=True)


if __name__ == "__main__":
    main()
