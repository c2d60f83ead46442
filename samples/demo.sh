#!/usr/bin/env bash
# `make demo`: a migration between two local S3 servers whose buckets are directories. The servers and their addresses
# come from `python -m servers`; the secrets are no secrets here.
set -euo pipefail
samples=$(cd "$(dirname "$0")" && pwd)
demo=${DEMO:-$(mktemp -d)}
mkdir -p "$demo"
[ -n "${DEMO:-}" ] || trap 'rm -rf "$demo"' EXIT

say() { printf '\n\033[1m%s\033[0m\n' "$*"; }

say "1. A bucket with 500 objects; it is a directory tree as well."
source_tree=$S3_1_DIRECTORY/demo
target_tree=$S3_2_DIRECTORY/demo
mkdir -p "$source_tree" "$target_tree"
for number in $(seq -w 1 500); do
    folder=$source_tree/year-$((10#$number % 5 + 2020))
    mkdir -p "$folder"
    printf 'The body of object %s\n' "$number" >"$folder/report $number.txt"
done
head -c 20000000 /dev/urandom >"$source_tree/a large object.bin"
printf 'Grüße\n' >"$source_tree/grüße+100%.txt"

export S3FIND S3MIGRATE WORK=$demo/work SRC_DIRECTORY=$source_tree
export SRC_URL=$S3_1_URL SRC_BUCKET=demo S3MIGRATE_SRC_KEY=$S3_1_KEY S3MIGRATE_SRC_SECRET=$S3_1_SECRET
export DEST_URL=$S3_2_URL DEST_BUCKET=demo S3MIGRATE_DEST_KEY=$S3_2_KEY S3MIGRATE_DEST_SECRET=$S3_2_SECRET
source "$samples/settings.sh"

say "2. s3find lists the tree."
"$samples/list.sh"
head -n 3 "$WORK"/source-lists/*.list

# This server ignores `If-None-Match: *`, which s3migrate finds out and does not accept without a word from us.
weak=--allow-weak-conditions

say "3. s3migrate, dry run: reads the lists, asks for the objects, writes nothing."
migrate "$WORK/source-lists" "$WORK/logs" --dry-run --first 100 $weak

say "4. s3migrate copies."
migrate "$WORK/source-lists" "$WORK/logs" $weak

say "5. What it has done, object by object, in key order:"
head -n 3 "$WORK/logs/migrate.log"
echo "…"
tail -n 1 "$WORK/logs/migrate.log"
echo "outcomes:"
cut -f2 "$WORK/logs/migrate.log" | sort | uniq -c
"$S3MIGRATE" --check-log "$WORK/logs"
diff -r "$source_tree" "$target_tree" && echo "diff -r finds no difference between the two trees"

say "6. Two new objects, and a second pass that knows what the target holds."
echo new >"$source_tree/year-2024/new object.txt"
echo new >"$source_tree/another new object.txt"
"$S3FIND" "$source_tree" "$WORK/second-source-lists"
rm -rf "$WORK/target-lists"
"$S3FIND" "$target_tree" "$WORK/target-lists"
migrate "$WORK/second-source-lists" "$WORK/second-logs" $weak
cut -f2 "$WORK/second-logs/migrate.log" | sort | uniq -c
diff -r "$source_tree" "$target_tree" && echo "the two trees are the same again"
