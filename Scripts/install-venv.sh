#!/usr/bin/env bash
# The Python packages of Tests/requirements.txt, rclone's program among them, in .build-tools/venv.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
top=$(dirname "$here")
venv=$top/.build-tools/venv
requirements=$top/Tests/requirements.txt

# The copy of the requirements is the sign that this very set was installed to its end.
cmp -s "$requirements" "$venv/installed-requirements.txt" && exit 0
# Debian keeps a part of venv in a package of its own; other Pythons bring it along.
python3 -c 'import ensurepip' 2>/dev/null || "$here/install-packages.sh" python3-venv
echo "installing the Python packages of the tests into .build-tools/venv"
rm -rf "$venv"
python3 -m venv "$venv"
PIP_DISABLE_PIP_VERSION_CHECK=1 "$venv/bin/pip" install --quiet --requirement "$requirements"
cp "$requirements" "$venv/installed-requirements.txt"
