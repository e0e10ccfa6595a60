# Sourced by the scripts: the packages and tools that they need. If one is missing and cannot be installed, they end
# with status 2.

# The packages for a build. Without the last two, the build succeeds, but the program has no Open MPI and no PMIx.
build_packages=(liblua5.4-dev libsqlite3-dev pkg-config libopenmpi-dev libpmix-dev)

need_swift() {
    command -v swift >/dev/null && return
    echo "$(basename "$0"): there is no swift in PATH; install Swift 6.2 or newer: https://www.swift.org/install" >&2
    exit 2
}

# need_packages NAME...: installs the missing ones of these Debian packages, and says which.
need_packages() {
    local package missing=()
    for package in "$@"; do
        [[ $(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) == installed ]] || missing+=("$package")
    done
    ((${#missing[@]})) || return 0

    if ! command -v apt-get >/dev/null; then
        echo "$(basename "$0"): there is no apt-get here; install what Debian calls: ${missing[*]}" >&2
        exit 2
    elif ((EUID != 0)); then
        echo "$(basename "$0"): packages are missing; run: sudo apt-get install ${missing[*]}" >&2
        exit 2
    fi

    echo "$(basename "$0"): installing ${missing[*]}"
    # The package lists may be missing or too old for these versions; only then are they updated.
    install_packages "${missing[@]}" >/dev/null 2>&1 && return
    if ! { apt-get update -qq && install_packages "${missing[@]}" >/dev/null; }; then
        echo "$(basename "$0"): apt-get could not install ${missing[*]}; its reason stands above" >&2
        exit 2
    fi
}

install_packages() {
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" </dev/null
}
