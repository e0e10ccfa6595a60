# Sourced by scripts/install, scripts/uninstall and scripts/package: the tree of files that is installed.

# The file in it that lists what scripts/install has installed.
installed_list=share/dlp-lua/installed

# lay_out PROGRAMS TREE: puts everything that is installed below the directory TREE, which becomes a prefix such as
# /usr/local. The programs come from the directory PROGRAMS, and must run on this machine. To be called in the
# directory of the source.
lay_out() {
    local programs=$1 tree=$2 program library plugin share=$2/share
    mkdir -p "$tree/bin"
    for program in dlp-lua ameexec; do
        install -m 755 "$programs/$program" "$tree/bin"
        # Libraries that not every system has: the programs look for Lua's library in their own directory first.
        library=$(ldd "$programs/$program" | awk '$1 ~ /^liblua/ && $3 ~ /^\// { print $3 }')
        [[ ! $library ]] || install -m 644 "$library" "$tree/bin"

        generate "$programs/$program" "$share/man/man1/$program.1" --generate-manual
        generate "$programs/$program" "$share/bash-completion/completions/$program" --generate-completion-script bash
        generate "$programs/$program" "$share/zsh/site-functions/_$program" --generate-completion-script zsh
        generate "$programs/$program" "$share/fish/vendor_completions.d/$program.fish" --generate-completion-script fish
    done
    # The plugins for MPIs with an interface of their own, if they have been built.
    for plugin in "$programs"/dlp-mpi-*.so; do
        [[ ! -f $plugin ]] || install -m 755 "$plugin" "$tree/bin"
    done

    # dlp-lua looks for it relative to its own place.
    copy_tree scripts/coprocess "$share/dlp-lua/coprocess"
    copy_tree scripts/annotations "$share/dlp-lua/annotations"
    copy_tree scripts/batch "$share/dlp-lua/batch"
    copy_tree scripts/slurm "$share/dlp-lua/batch"
    copy_tree scripts/examples "$share/doc/dlp-lua/examples"
    copy_tree Sources/dlp-lua/Guide.docc "$share/doc/dlp-lua/guide"
    install -m 644 README.md CHANGELOG.md "$share/doc/dlp-lua"
    licences >"$share/doc/dlp-lua/copyright"
}

# generate PROGRAM FILE OPTION...: writes what the program prints with these options to FILE.
generate() {
    local program=$1 file=$2
    shift 2
    mkdir -p "$(dirname "$file")"
    if ! env -i "$program" "$@" >"$file" </dev/null; then
        echo "$(basename "$0"): $program does not run with $*; its reason stands above. Build it anew: scripts/build" >&2
        exit 2
    fi
}

# copy_tree FROM TO: copies the files below FROM, readable by all, without leftovers of running them.
copy_tree() {
    local file mode
    while IFS= read -r -d '' file; do
        mode=644
        [[ ! -x $1/$file ]] || mode=755
        install -D -m "$mode" "$1/$file" "$2/$file"
    done < <(cd "$1" && find . -type f ! -path '*/__pycache__/*' -printf '%P\0')
}

# licences: prints the terms of this program and of everything that is inside it.
licences() {
    local compiler crypto=.build/checkouts/swift-crypto
    compiler=$(basename "$(dirname "$(clang -print-file-name=libstdc++.a)")")
    cat LICENSE
    echo
    echo "The digits in the examples are from the UCI Machine Learning Repository, by E. Alpaydin and C. Kaynak, under the"
    echo "Creative Commons Attribution 4.0 licence: https://creativecommons.org/licenses/by/4.0/legalcode"
    echo
    echo "The programs contain what follows, under the terms that stand below each name."
    licence "Lua" /usr/share/doc/liblua5.4-dev/copyright https://www.lua.org/license.html
    licence "SQLite" /usr/share/doc/libsqlite3-dev/copyright https://www.sqlite.org/copyright.html
    licence "The C++ library of GCC" "/usr/share/doc/libstdc++-$compiler-dev/copyright" \
        https://www.gnu.org/licenses/gcc-exception-3.1.html
    licence "Swift: standard library, concurrency, libdispatch, FoundationEssentials" \
        "$(dirname "$(command -v swiftc)")/../share/swift/LICENSE.txt" https://www.swift.org/LICENSE.txt
    licence "swift-crypto" $crypto/NOTICE.txt https://github.com/apple/swift-crypto
    licence "The Apache License 2.0 of swift-crypto and of BoringSSL" $crypto/LICENSE.txt \
        https://www.apache.org/licenses/LICENSE-2.0.txt
    printf '\nWhose BoringSSL is, which is inside of swift-crypto:\n\n'
    grep -rhoE 'Copyright (\(c\) )?[0-9].*' $crypto/Sources/CCryptoBoringSSL | sort -u
}

# licence NAME FILE ADDRESS: prints the text of a licence, or the address where it can be found.
licence() {
    printf '\n%s\n%s\n\n' "$1" "${1//?/=}"
    cat "$2" 2>/dev/null || printf '%s: %s\n' "$licence_is_missing" "$3"
}
licence_is_missing='Its text was not on the machine where this was built; it is at'
