#!/usr/bin/env bash
# Compares every object of the lists at both sides and copies nothing: verify.sh [--deep]. The same call again goes on
# where it was stopped; for another look, remove its log folder.
source "$(dirname "$0")/settings.sh"

logs=$WORK/verified${1:+-deep}
mkdir -p "$logs"
if [ -s "$logs/verify.log" ]; then set -- --resume "$@"; fi
"$S3MIGRATE" verify \
    --src-url "$SRC_URL" --src-bucket "$SRC_BUCKET" --src-key "$S3MIGRATE_SRC_KEY" --src-folder "$WORK/source-lists" \
    --dest-url "$DEST_URL" --dest-bucket "$DEST_BUCKET" --dest-key "$S3MIGRATE_DEST_KEY" \
    --log-folder "$logs" "$@"
