"""What the processes of a job use, from /proc."""

import os
import subprocess
import time

from .measure import Failed, end


def descendants(ancestor):
    """Returns the process ids of all descendants of a process, from /proc."""
    parents = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open(f"/proc/{name}/stat") as file:
                    parents[int(name)] = int(file.read().rpartition(")")[2].split()[1])
            except OSError:
                continue
    found, looked = [], [ancestor]
    while looked:
        parent = looked.pop()
        children = [child for child, of in parents.items() if of == parent]
        found += children
        looked += children
    return found


def rank(process):
    """Returns the rank of a process, from its launcher's variables; None if it is no rank."""
    try:
        with open(f"/proc/{process}/environ", "rb") as file:
            variables = dict(entry.partition(b"=")[::2] for entry in file.read().split(b"\0"))
    except OSError:
        return None
    value = variables.get(b"AME_RANK") or variables.get(b"OMPI_COMM_WORLD_RANK")
    return int(value) if value else None


def cpu_seconds(process):
    """Returns the CPU time of all threads of a process in seconds, to the nanosecond; None if it has ended."""
    total = 0
    try:
        for thread in os.listdir(f"/proc/{process}/task"):
            with open(f"/proc/{process}/task/{thread}/schedstat") as file:
                total += int(file.read().split()[0])
    except OSError:
        return None
    return total / 1e9


def cpu_of_ranks(command, environment, warm_up, length):
    """Returns the share of a core that each rank uses: for `length` seconds, from `warm_up` seconds after the start."""
    process = subprocess.Popen(
        command,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        time.sleep(warm_up)
        ranks = {}
        for child in descendants(process.pid):
            number = rank(child)
            # Programs that a rank starts have its variables too, but come later.
            if number is not None and number not in ranks:
                ranks[number] = child
        before = {number: cpu_seconds(child) for number, child in ranks.items()}
        begin = time.monotonic()
        time.sleep(length)
        elapsed = time.monotonic() - begin
        after = {number: cpu_seconds(child) for number, child in ranks.items()}
        if process.poll() is not None or not ranks or None in (*before.values(), *after.values()):
            raise Failed("the job, or a rank of it, was over before it had been looked at")
        status = process.wait(timeout=60)
    except subprocess.TimeoutExpired:
        end(process)
        raise Failed("the job did not end") from None
    except BaseException:
        end(process)
        raise
    if status != 0:
        raise Failed(f"status {status}")
    return {number: (after[number] - before[number]) / elapsed for number in ranks}
