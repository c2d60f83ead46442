#!/usr/bin/env bash
# Python packages, each set in an environment of its own, since their needs exclude each other.
#   Scripts/install-venv.sh           Tests/requirements.txt, rclone's program among them, in .build-tools/venv
#   Scripts/install-venv.sh NAME      Tests/requirements-NAME.txt in .build-tools/NAME
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
top=$(dirname "$here")
name=${1:-venv}
venv=$top/.build-tools/$name
requirements=$top/Tests/requirements${1:+-$1}.txt

# The copy of the requirements is the sign that this very set was installed to its end.
cmp -s "$requirements" "$venv/installed-requirements.txt" && exit 0
# Debian keeps a part of venv in a package of its own; other Pythons bring it along.
python3 -c 'import ensurepip' 2>/dev/null || "$here/install-packages.sh" python3-venv
echo "installing Python packages of the tests into .build-tools/$name"
rm -rf "$venv"
python3 -m venv "$venv"
PIP_DISABLE_PIP_VERSION_CHECK=1 "$venv/bin/pip" install --quiet --requirement "$requirements"
cp "$requirements" "$venv/installed-requirements.txt"
