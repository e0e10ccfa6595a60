"""The peers, in their own directory .build/bench, and how each program is started."""

import glob
import os
import shutil
import subprocess
import sys

here = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
root = os.path.dirname(os.path.dirname(here))
home = os.path.join(root, ".build", "bench")
jobs = os.path.join(here, "jobs")
debian = ["lua5.4", "liblua5.4-dev", "pkg-config", "gcc", "libopenmpi-dev", "openmpi-bin", "python3-venv", "parallel"]
debian += ["lua-cjson", "lua-messagepack", "libsqlite3-dev"]
pypi = ["mpi4py", "dlp_mpi", "joblib", "numpy", "tqdm", "hyperqueue", "hypershell", "distributed"]


def job(name):
    return os.path.join(jobs, name)


class Peers:
    """The peers that are installed. What is missing is None, and its results are left out."""

    def __init__(self):
        release = os.path.join(root, ".build", "release")
        self.dlp, self.ameexec = (os.path.join(release, name) for name in ("dlp-lua", "ameexec"))
        self.mpiexec = shutil.which("mpiexec.openmpi") or shutil.which("mpiexec")
        python = os.path.join(home, "venv", "bin", "python")
        self.python = python if os.path.exists(python) else None
        self.manager, self.limits = self.compiled("manager"), self.compiled("limits")
        self.starts, self.rows = self.compiled("starts"), self.compiled("rows")
        self.parallel = shutil.which("parallel")
        shell = os.path.join(home, "venv", "bin", "hsx")
        self.hypershell = shell if os.path.exists(shell) else None
        self.dask = self.python if installed("distributed") else None
        clone = os.path.join(home, "dlp_mpi")
        self.dlp_mpi_clone = clone if os.path.isdir(os.path.join(clone, "dlp_mpi", "ame")) else None
        helped = subprocess.run([self.dlp, "--help"], capture_output=True, text=True, stdin=subprocess.DEVNULL)
        self.options = helped.stdout

    @staticmethod
    def compiled(name):
        path = os.path.join(home, name)
        return path if os.path.exists(path) else None

    def versions(self):
        if not self.python:
            return []
        listed = subprocess.run([self.python, "-m", "pip", "list", "--format=freeze"], capture_output=True, text=True)
        wanted = ("mpi4py=", "dlp-mpi=", "dlp_mpi=", "joblib=", "hyperqueue=", "hypershell=", "distributed=")
        return [line.replace("==", " ") for line in listed.stdout.splitlines() if line.startswith(wanted)]

    def environment(self):
        """Returns the environment of every program that is measured."""
        environment = dict(os.environ)
        # More ranks than cores are wanted here, and dlp_mpi requires the other two variables.
        environment |= {"OMPI_MCA_rmaps_base_oversubscribe": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
        # The wheel of mpi4py supports several MPIs; this mpiexec is that of Open MPI.
        environment["MPI4PY_MPIABI"] = "openmpi"
        if os.geteuid() == 0:
            environment |= {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}
        environment["PYTHONDONTWRITEBYTECODE"] = "1"
        environment["LUA_CPATH"] = os.path.join(home, "?.so") + ";;"
        # Debian puts modules in pure Lua where Lua 5.3 looks for them.
        environment["LUA_PATH"] = "/usr/share/lua/5.3/?.lua;;"
        return environment

    # Commands: the words before a script and its arguments.

    def ame(self, ranks, *options):
        return [self.ameexec, "-np", str(ranks), self.dlp, *options]

    def solo(self, *options):
        return [self.dlp, "--backend", "none", *options]

    def mpi(self, ranks, *program):
        return [self.mpiexec, "-n", str(ranks), *program]

    def dlp_mpi_ame(self, ranks, *program):
        """Starts by dlp_mpi's own launcher for its AME, which is in dlp_mpi's repository, not on PyPI."""
        python_path = f"PYTHONPATH={self.dlp_mpi_clone}"
        return ["env", python_path, self.python, "-m", "dlp_mpi.ame.mpirun", "-np", str(ranks), *program]


def installed(package):
    """Returns whether a Python package is installed among the peers."""
    return bool(glob.glob(os.path.join(home, "venv", "lib", "*", "site-packages", package)))


def attempt(what, *command, **options):
    """Does one step. If it fails, it says so, and the peers that need it are left out."""
    done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, **options)
    if done.returncode != 0:
        reason = (done.stderr or done.stdout).strip().splitlines() or [f"status {done.returncode}"]
        print(f"bench: {what} left out: {reason[-1]}", file=sys.stderr)
    return done.returncode == 0


def install():
    """Installs the peers that are not installed yet, and compiles the C programs."""
    os.makedirs(home, exist_ok=True)
    packages = os.path.join(root, "scripts", "lib", "packages.sh")
    attempt("Debian packages", "bash", "-c", f'source "{packages}"; need_packages {" ".join(debian)}')
    venv = os.path.join(home, "venv")
    python = os.path.join(venv, "bin", "python")
    # The package that is installed last.
    if not installed("distributed"):
        attempt("Python's peers", sys.executable, "-m", "venv", venv)
        attempt("Python's peers", python, "-m", "pip", "install", "-q", *pypi)
    clone, source = os.path.join(home, "dlp_mpi"), os.environ.get("DLP_MPI_REPOSITORY")
    if not os.path.isdir(clone):
        if source:
            attempt("dlp_mpi's AME", "git", "clone", "-q", "--depth", "1", source, clone)
        else:
            print(
                "bench: dlp_mpi's AME left out: set DLP_MPI_REPOSITORY to what git can clone it from", file=sys.stderr
            )
    # This is fast, so it is done each time: the programs always match the sources.
    flags = subprocess.run(["pkg-config", "--cflags", "lua5.4"], capture_output=True, text=True).stdout.split()
    attempt("the clock of the jobs", "cc", "-O2", "-shared", "-fPIC", *flags, "-o", f"{home}/clock.so", job("clock.c"))
    compiler = shutil.which("mpicc.openmpi") or "mpicc"
    attempt("the C program on MPI", compiler, "-O2", "-o", f"{home}/manager", job("manager.c"))
    attempt("memcpy and sockets", "cc", "-O2", "-o", f"{home}/limits", job("limits.c"))
    attempt("starts in C", "cc", "-O2", "-o", f"{home}/starts", job("starts.c"))
    attempt("SQLite alone", "cc", "-O2", "-o", f"{home}/rows", job("rows.c"), "-lsqlite3")
