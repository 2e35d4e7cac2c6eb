# Shared by tools/demo and tools/test: an environment of our own in .venv, rebuilt when what it is made of has changed.
# Sourced; the caller has set -euo pipefail and is in the root of the checkout.

PYTHON=.venv/bin/python

fail() {
    printf '%s: %s\n' "${0##*/}" "$*" >&2
    exit 1
}

# The Debian packages in "$missing" are installed where we may, else named.
install_missing() {
    [ ${#missing[@]} -eq 0 ] && return
    local install="apt-get install -y --no-install-recommends ${missing[*]}"
    command -v apt-get >/dev/null || fail "missing: ${missing[*]} (names of the Debian packages); install them and run this again"
    [ "$(id -u)" -eq 0 ] || fail "missing: ${missing[*]}; install them with: sudo $install"
    printf 'installing: %s\n' "${missing[*]}"
    export DEBIAN_FRONTEND=noninteractive
    { apt-get update -q && $install; } </dev/null >"$log" 2>&1 || {
        cat "$log" >&2
        fail "apt-get could not install ${missing[*]}"
    }
    missing=()
}

# want COMMAND PACKAGE... : remembers packages as missing when the command is.
want() {
    local command=$1
    shift
    command -v "$command" >/dev/null || missing+=("$@")
}

has_python() {
    command -v python3 >/dev/null && python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))'
}

want_python() {
    want python3 python3
    has_python || [ ${#missing[@]} -gt 0 ] || fail "python3 is $(python3 -V 2>&1), and 3.11 or newer is needed"
    if [ ${#missing[@]} -gt 0 ]; then
        missing+=(python3-venv python3-dev)
    else
        python3 -c 'import venv, ensurepip' 2>/dev/null || missing+=(python3-venv)
        [ -e "$(python3 -c 'import sysconfig; print(sysconfig.get_path("include"))')/Python.h" ] || missing+=(python3-dev)
    fi
    want_compiler
}

# Debian's gcc may be there without the headers of the C library, which it only recommends.
want_compiler() {
    local compiler=${CC:-cc}  # may bring words of its own, as "ccache gcc"
    if ! command -v "${compiler%% *}" >/dev/null; then
        missing+=(gcc libc6-dev)
    elif ! echo '#include <stdlib.h>' | $compiler -E - >/dev/null 2>&1; then
        missing+=(libc6-dev)
    fi
}

# The library alone; its program is not needed.
want_simavr() {
    echo '#include <simavr/sim_avr.h>' | ${CC:-cc} -E - >/dev/null 2>&1 || missing+=(libsimavr-dev libelf-dev)
}

# What the installed package was made of: when this changes, it is installed again.
fingerprint() {
    { python3 -VV
      printf '%s\n' "$PWD"
      find pyproject.toml tools/packaging otaflash/sim/build_native.py firmware/core firmware/ports/host -type f \
          \( -name '*.[ch]' -o -name '*.py' -o -name '*.toml' -o -name '*.in' \) -print0 | LC_ALL=C sort -z | xargs -0 sha256sum
    } | sha256sum | cut -d' ' -f1
}

# is_made REQUIREMENT : true if .venv holds the package as it is now, with at least these extras.
is_made() {
    local made with
    [ -r .venv/.otaflash ] || return 1
    { read -r made && read -r with; } <.venv/.otaflash || return 1
    [ "$made" = "$(fingerprint)" ] && { [ "$with" = "$1" ] || [ "$with" = ".[dev]" ]; } || return 1
    $PYTHON -c 'import otaflash.sim._native' 2>/dev/null
}

# make_environment REQUIREMENT : .venv with the package, editable, as "." or ".[dev]".
make_environment() {
    is_made "$1" && return
    printf 'making the environment in .venv (the first time takes a minute)\n'
    # A .venv that was moved or whose Python is gone cannot be mended.
    $PYTHON -m pip --version >/dev/null 2>&1 || rm -rf .venv
    [ -x $PYTHON ] || python3 -m venv .venv >"$log" 2>&1 || { cat "$log" >&2; fail "python3 -m venv failed"; }
    rm -f .venv/.otaflash otaflash/sim/_native*.so
    $PYTHON -m pip install --disable-pip-version-check --no-input -e "$1" </dev/null >"$log" 2>&1 || {
        tail -n 40 "$log" >&2
        fail "pip could not install the package; the end of its output is above"
    }
    printf '%s\n%s\n' "$(fingerprint)" "$1" >.venv/.otaflash
}

log=$(mktemp)
trap 'rm -f "$log"' EXIT
missing=()
