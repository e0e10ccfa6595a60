"""The systems that hand out examples of the kernel: for each the command for so many examples of so many turns."""

from .peers import job

LUA, PYTHON, C = "Lua", "Python", "C"


class System:
    """A tool with its settings.

    `command(ranks, count, turns)` gives the command line; `language` is that of its kernel; `guess` is about how many
    empty examples it hands out in a second, so that no run takes for ever; `chunk` is its fixed chunk size, if any; `once`
    is for one that takes seconds to start.
    """

    def __init__(self, name, ranks, language, guess, command, chunk=1, once=False):
        self.name, self.ranks, self.language, self.guess, self.command = name, ranks, language, guess, command
        self.chunk, self.once = chunk, once


def systems(peers):
    """All that are there on this machine, ours first."""
    lua, python, chosen = job("handout.lua"), job("handout.py"), []

    def add(name, ranks, language, guess, command, *needs, chunk=1, once=False):
        if all(needs):
            chosen.append(System(name, ranks, language, guess, command, chunk, once))

    for mode in ("map", "managed", "round-robin"):
        option = ["--mode", mode]
        add(f"dlp-lua {mode}", (1,), LUA, 3e6, lambda r, n, k, o=option: [*peers.solo(*o), lua, str(n), str(k)])
        add(
            f"dlp-lua {mode}, AME",
            (2, 4, 16),
            LUA,
            3e6,
            lambda r, n, k, o=option: [*peers.ame(r, *o), lua, str(n), str(k)],
        )
        add(
            f"dlp-lua {mode}, MPI",
            (2, 4, 16),
            LUA,
            3e6,
            lambda r, n, k, o=option: [*peers.mpi(r, peers.dlp, "--backend", "mpi", *o), lua, str(n), str(k)],
            peers.mpiexec,
        )
    add(
        "C manager on MPI",
        (2, 4, 16),
        C,
        4e5,
        lambda r, n, k: [*peers.mpi(r, peers.manager), str(n), str(k)],
        peers.manager,
        peers.mpiexec,
    )
    add(
        "dlp_mpi, mpi4py",
        (2, 4, 16),
        PYTHON,
        4e4,
        lambda r, n, k: [*peers.mpi(r, peers.python, python), "dlp_mpi", str(n), str(k)],
        peers.python,
        peers.mpiexec,
    )
    add(
        "dlp_mpi, its AME",
        (2, 4, 16),
        PYTHON,
        20,
        lambda r, n, k: [*peers.dlp_mpi_ame(r, peers.python, python), "dlp_mpi", str(n), str(k)],
        peers.python,
        peers.dlp_mpi_clone,
    )
    for chunk, guess in ((1, 4e3), (100, 2e5)):
        add(
            f"mpi4py.futures, chunk {chunk}",
            (2, 4, 16),
            PYTHON,
            guess,
            lambda r, n, k, c=chunk: [*peers.mpi(r, peers.python, python), "futures", str(n), str(k), str(r), str(c)],
            peers.python,
            peers.mpiexec,
            chunk=chunk,
        )
    add(
        "joblib",
        (1, 2, 4, 16),
        PYTHON,
        1e5,
        lambda r, n, k: [peers.python, python, "joblib", str(n), str(k), str(r)],
        peers.python,
    )
    # Sixteen workers take longer to start on a small machine than all other measurements together.
    add(
        "Dask",
        (2, 4),
        PYTHON,
        1.5e3,
        lambda r, n, k: [peers.dask, python, "dask", str(n), str(k), str(r)],
        peers.dask,
        once=True,
    )
    add(
        "GNU parallel",
        (1, 2, 4, 16),
        LUA,
        200,
        lambda r, n, k: [job("parallel"), str(r), str(n), str(k)],
        peers.parallel,
    )
    return chosen


def plain(peers, language, count, turns):
    """The plain loop of a language: the limit for one rank, and what kernels are calibrated by."""
    if language == LUA:
        return ["lua5.4", job("plain.lua"), str(count), str(turns)]
    if language == PYTHON:
        return [peers.python, job("handout.py"), "plain", str(count), str(turns)]
    return [*peers.mpi(1, peers.manager), str(count), str(turns)]
