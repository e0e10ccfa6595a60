"""The systems that hand out examples of the kernel, each with its command for a number of examples and of turns."""

from .peers import job

LUA, PYTHON, C = "Lua", "Python", "C"


class System:
    """A tool with its settings.

    `command(ranks, count, turns)` gives the command line. `language` is the language of its kernel. `guess` is roughly
    how many empty examples it hands out per second, so that no run takes too long. `chunk` is its chunk size if that is
    fixed, and 1 otherwise. `once` is for a tool that takes seconds to start: it is measured once.
    """

    def __init__(self, name, ranks, language, guess, command, chunk=1, once=False):
        self.name, self.ranks, self.language, self.guess, self.command = name, ranks, language, guess, command
        self.chunk, self.once = chunk, once


def systems(peers):
    """Returns the systems that this machine has, dlp-lua first."""
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
    """Returns the command of a language's plain loop: the limit for one rank, and the calibration of the kernel."""
    if language == LUA:
        return ["lua5.4", job("plain.lua"), str(count), str(turns)]
    if language == PYTHON:
        return [peers.python, job("handout.py"), "plain", str(count), str(turns)]
    return [*peers.mpi(1, peers.manager), str(count), str(turns)]
