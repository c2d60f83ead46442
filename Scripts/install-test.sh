#!/usr/bin/env bash
# What the end-to-end tests need beyond the build: real S3 servers, and Python packages in .build-tools/venv.
# A server that cannot be had is an error here, and no reason for a test to be skipped later.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
top=$(dirname "$here")
venv=$top/.build-tools/venv
requirements=$top/Tests/requirements.txt

"$here/install-packages.sh" radosgw ceph-mon ceph-osd ceph-common openssl util-linux python3-venv

# The copy of the requirements is the sign that this very set was installed to its end.
cmp -s "$requirements" "$venv/installed-requirements.txt" && exit 0
echo "installing the Python packages of the tests into .build-tools/venv"
rm -rf "$venv"
python3 -m venv "$venv"
PIP_DISABLE_PIP_VERSION_CHECK=1 "$venv/bin/pip" install --quiet --requirement "$requirements"
cp "$requirements" "$venv/installed-requirements.txt"
