#!/bin/bash
# Simulated migrations from the seeds of $1: a count, or from..to. Optimized, and over all processors.
set -euo pipefail
cd "$(dirname "$0")/.."
seeds=${1:-100000}
case $seeds in
    *..*) first=${seeds%%..*} last=${seeds##*..} ;;
    *) first=0 last=$((seeds - 1)) ;;
esac
[[ $first =~ ^[0-9]+$ && $last =~ ^[0-9]+$ && $first -le $last ]] ||
    { echo "SEEDS is a count, or from..to: $seeds" >&2; exit 2; }

swift build -c release --build-tests --scratch-path .build-simulate -Xswiftc -enable-testing >&2
tests=$(echo .build-simulate/release/*PackageTests.xctest)
processes=$(nproc)
share=$(((last - first + processes) / processes))
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
started=$SECONDS
pids=()
for ((from = first; from <= last; from += share)); do
    to=$((from + share - 1 < last ? from + share - 1 : last))
    SIMULATION_SEEDS=$from..$to "$tests" --testing-library swift-testing --filter SimulationTests/many \
        > "$folder/$from" 2>&1 &
    pids+=($!)
done
code=0
for pid in "${pids[@]}"; do wait "$pid" || code=1; done
grep -ah -A1 '↳ seed' "$folder"/* || true
# A program that traps says nothing of its seed but this.
[ $code -eq 0 ] || tail -qn 1 "$folder"/* >&2
echo "seeds $first to $last: $(cat "$folder"/* | grep -ac '^seed ') worlds in $((SECONDS - started)) s," \
    "$(cat "$folder"/* | grep -ac '↳ seed') broke a rule"
exit $code
