#!/usr/bin/env bash
# Copies what is still failed after all runs so far, of one host or several. Repeat it until it says that nothing is.
source "$(dirname "$0")/settings.sh"
shopt -s nullglob

# Oldest first: a later log overrules an earlier one.
logs=()
for folder in "$WORK"/logs "$WORK"/logs-* "$WORK"/retry-*/logs; do
    if [ -e "$folder/migrate.log" ]; then logs+=(--log-folder "$folder"); fi
done

passes=("$WORK"/retry-*)
pass=$WORK/retry-$(printf %03d $((${#passes[@]} + 1)))
mkdir -p "$pass"
"$S3MIGRATE" --failed-to-folder "$pass/lists" "${logs[@]}"
if [ -z "$(find "$pass/lists" -type f ! -name manifest.json -size +0)" ]; then
    echo "nothing is failed"
    rm -r "$pass"
    exit 0
fi
migrate "$pass/lists" "$pass/logs"
