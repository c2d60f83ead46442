#!/usr/bin/env bash
# Installs those of the named Debian packages that are missing; says nothing when none is.
#   Scripts/install-packages.sh PACKAGE...
set -euo pipefail

installed() { dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null | grep -qx installed; }

missing=()
for package in "$@"; do installed "$package" || missing+=("$package"); done
[ ${#missing[@]} -gt 0 ] || exit 0

root=()
if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null || {
        echo "error: these packages are missing and need root to install: ${missing[*]}" >&2
        exit 1
    }
    root=(sudo)
fi
install() {
    "${root[@]}" env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -qq --no-install-recommends "${missing[@]}" </dev/null
}

echo "installing ${missing[*]}"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
# A fresh machine has no package index, an old one a stale index: both are mended by one update.
if ! install >"$log" 2>&1; then
    { "${root[@]}" apt-get update -qq && install; } >"$log" 2>&1 || {
        cat "$log" >&2
        echo "error: apt could not install: ${missing[*]}" >&2
        exit 1
    }
fi
