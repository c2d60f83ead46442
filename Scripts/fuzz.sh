#!/bin/bash
# Fuzzes the readers of bytes from outside: Scripts/fuzz.sh [TARGET…] with FUZZ_SECONDS for each (60). What it finds is
# kept in .build-fuzz/findings; new inputs that reach more code are kept in .build-fuzz/corpus, and
# belong into Tests/FuzzTargets/Corpus when they teach something.
set -euo pipefail
top=$(cd "$(dirname "$0")/.." && pwd)
cd "$top"
targets=("$@")
[ ${#targets[@]} -gt 0 ] || for folder in Tests/FuzzTargets/Corpus/*/; do targets+=("$(basename "$folder")"); done

S3MIGRATE_FUZZER=1 swift build -c release --scratch-path .build-fuzz --product fuzzer --sanitize fuzzer >&2
mkdir -p .build-fuzz/findings
failed=()
for target in "${targets[@]}"; do
    mkdir -p ".build-fuzz/corpus/$target"
    echo "== $target, ${FUZZ_SECONDS:-60} s"
    FUZZ_TARGET=$target SWIFT_BACKTRACE=enable=no .build-fuzz/release/fuzzer -max_total_time="${FUZZ_SECONDS:-60}" \
        -timeout=10 -rss_limit_mb=2048 -max_len=4096 -print_final_stats=1 -verbosity=0 \
        -artifact_prefix=".build-fuzz/findings/$target-" \
        ".build-fuzz/corpus/$target" "Tests/FuzzTargets/Corpus/$target" || failed+=("$target")
done
[ ${#failed[@]} -eq 0 ] || { echo "findings in .build-fuzz/findings: ${failed[*]}" >&2; exit 1; }
