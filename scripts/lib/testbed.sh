# Sourced by scripts/testbed/*: machines that are namespaces of this one.
#
# A machine is a process 1 with a separate process table and mount table, and other namespaces as requested from
# unshare(1). When process 1 is killed, the kernel kills everything in its process table, so that nothing can be left
# after a stop. Files, process ids and daemons of a testbed belong to its directory. Two testbeds in two directories
# are independent of each other.

testbed=${DLP_TESTBED:-${TMPDIR:-/tmp}/dlp-testbed}
# Daemons are in sbin, which is not always in the PATH of users.
PATH=$PATH:/usr/sbin:/sbin

die() {
    echo "$(basename "$0"): $1" >&2
    exit 1
}

# need_commands PACKAGE COMMAND...: if a command is missing, ends with the line that installs the package.
need_commands() {
    local package=$1 command
    shift
    for command in "$@"; do
        command -v "$command" >/dev/null ||
            die "there is no $command; run: apt-get install --no-install-recommends $package"
    done
}

need_root() {
    ((EUID == 0)) || die "namespaces and daemons of several users need root; run it by sudo"
}

# machine_start NAME SETUP [OPTION of unshare...]: starts a machine, whose process 1 calls the function SETUP first.
machine_start() {
    local name=$1 setup=$2 pid='' ready
    shift 2
    mkdir -p "$testbed/machines"
    # The machine reports when it is set up, and then closes everything that it inherited: a reader of a test's output
    # must not have to wait for the testbed to end.
    exec {ready}< <(
        cd / && DLP_MACHINE=$testbed/$name exec unshare --fork --kill-child --pid --mount --propagation private "$@" \
            bash -c "$(declare -f machine_boot "$setup"); machine_boot $setup $name" \
            </dev/null 2>"$testbed/machines/$name.log"
    )
    read -r -t 20 pid <&"$ready" || true
    exec {ready}<&-
    [[ $pid ]] || die "the machine $name does not start: $(tail -n 1 "$testbed/machines/$name.log")"
    echo "$pid" >"$testbed/machines/$name.pid"
}

# Process 1 of a machine: sets it up, reports its process id as seen from outside, and reaps orphans for ever.
machine_boot() {
    local pid
    set -e
    read -r pid _ </proc/self/stat # This /proc is still the outer one, and so is the number.
    mount -t proc proc /proc
    "$1" "$2"
    echo "$pid"
    exec >/dev/null 2>&1
    set +e
    # Bash reaps all its children while it waits; for process 1 these include all orphans.
    while :; do
        sleep infinity &
        wait
    done
}

# machine_pid NAME: prints the process 1 of a running machine; status 1 if it is not running.
machine_pid() {
    local pid
    pid=$(cat "$testbed/machines/$1.pid" 2>/dev/null) || return
    # Process ids are reused; only our process has this variable.
    grep -qzxF "DLP_MACHINE=$testbed/$1" "/proc/$pid/environ" 2>/dev/null || return
    echo "$pid"
}

# machine_exec NAME COMMAND [ARG...]: runs a command on a machine, in the present directory.
machine_exec() { (machine_become "$@"); }

# machine_become NAME COMMAND [ARG...]: this process enters a machine and becomes a command there.
#
# It uses nsenter, not `ip netns exec`, which mounts a /sys without cgroups; slurmd looks for them even if it uses
# none.
machine_become() {
    local name=$1 pid
    shift
    pid=$(machine_pid "$name") || die "the machine $name is not up"
    exec nsenter --target "$pid" --mount --uts --ipc --net --pid --wd="$PWD" -- "$@"
}

# machine_stop NAME: ends a machine and everything that runs on it.
machine_stop() {
    local pid
    if pid=$(machine_pid "$1"); then
        kill -KILL "$pid"
        # The memory of the process goes last, and its variables with it. Then nothing of the machine runs any more.
        while machine_pid "$1" >/dev/null; do sleep 0.02; done
    fi
    rm -f "$testbed/machines/$1".{pid,log}
    rmdir "$testbed/machines" "$testbed" 2>/dev/null || true
}

# machines PATTERN: the names of the machines that were started and not stopped.
machines() {
    local file
    for file in "$testbed/machines/"$1.pid; do
        [[ ! -e $file ]] || basename "$file" .pid
    done
}
