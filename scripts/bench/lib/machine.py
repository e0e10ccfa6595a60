"""The machine and the versions that a result belongs to."""

import os
import platform
import re
import subprocess

cores = len(os.sched_getaffinity(0))


def first_line(*command):
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=20, stdin=subprocess.DEVNULL)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return ((done.stdout or done.stderr).strip().splitlines() or [""])[0]


def field(path, pattern):
    try:
        with open(path) as file:
            found = re.search(pattern, file.read(), re.MULTILINE)
    except OSError:
        return ""
    return found.group(1).strip() if found else ""


def description(peers):
    """Returns what the report says above the results: pairs of a name and a value."""
    memory = int(field("/proc/meminfo", r"^MemTotal: *(\d+)") or 0) / 1024**2
    versions = [first_line(peers.dlp, "--version"), first_line("lua5.4", "-v").split("  ")[0]]
    if peers.mpiexec:
        versions.append(first_line(peers.mpiexec, "--version").replace("(OpenRTE)", "of Open MPI"))
    distribution = field("/etc/os-release", r'^PRETTY_NAME="?([^"\n]*)')
    versions += ["Python " + platform.python_version()] + peers.versions()
    return [
        ("CPU", field("/proc/cpuinfo", r"^model name\s*: (.*)") or platform.machine()),
        ("cores", str(cores)),
        ("memory", f"{memory:.0f} GB"),
        ("system", f"{distribution}, Linux {platform.release()}"),
        ("versions", ", ".join(version for version in versions if version)),
    ]


def load():
    """Returns the load of the last minute: how busy other processes kept the machine."""
    return os.getloadavg()[0]
