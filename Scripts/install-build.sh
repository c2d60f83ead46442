#!/usr/bin/env bash
# What a machine with the Swift toolchain lacks to build: the headers of the C libraries.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
command -v swift >/dev/null || {
    echo "error: there is no swift in PATH; install Swift 6.3 or later from https://swift.org/install" >&2
    exit 1
}
exec "$here/install-packages.sh" libcurl4-openssl-dev libssl-dev libexpat1-dev pkg-config
