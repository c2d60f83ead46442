#!/usr/bin/env bash
# Every test there is, from a checkout on a machine that has only the toolchain. The last line is
# "N passed, N failed" over all runners; a runner that did not report counts as a failure.
set -euo pipefail
top=$(cd "$(dirname "$0")/.." && pwd)
cd "$top"
export SWIFT_BACKTRACE=enable=no
results=$top/.build-tools/results
rm -rf "$results"
mkdir -p "$results"

step="set-up"
trap 'status=$?; if [ $status != 0 ] && [ "$step" != done ]; then echo "stopped in step: $step"; echo "0 passed, 1 failed"; fi' EXIT

Scripts/install-build.sh
Scripts/install-test.sh

step="lint"
make --no-print-directory lint

step="signing vectors"
vectors=$results/signing-vectors.txt
if [ -f Tests/S3Tests/Oracle/make_signing_vectors.py ]; then
    .build-tools/venv/bin/python Tests/S3Tests/Oracle/make_signing_vectors.py --seed "${SEED:-20260101}" --count 5000 >"$vectors"
    export SIGNING_VECTORS=$vectors
fi

step="build for unit tests"
make --no-print-directory build-tests

# From here on every runner runs, whatever another one found.
step="unit tests"
swift_status=0 pytest_status=0
timeout 1200 swift test --skip-build --xunit-output "$results/swift.xml" || swift_status=$?

step="release build"
make --no-print-directory build

step="end-to-end tests"
S3MIGRATE=$top/.build/release/s3migrate S3FIND=$top/.build/release/s3find \
    .build-tools/venv/bin/pytest -c Tests/pytest.ini --rootdir Tests --junitxml="$results/pytest.xml" ${PYTEST_OPTIONS:-} ||
    pytest_status=$?

step="done"
python3 Scripts/count-tests.py "$results/swift-swift-testing.xml=$swift_status" "$results/pytest.xml=$pytest_status"
