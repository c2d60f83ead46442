#!/usr/bin/env bash
# Lists the source once; hosts that share a migration share these lists.
source "$(dirname "$0")/settings.sh"
: "${SRC_DIRECTORY:?}"

if [ -e "$WORK/source-lists/manifest.json" ]; then
    echo "the lists are complete: $WORK/source-lists"
else
    rm -rf "$WORK/source-lists" # of a listing that was interrupted
    "$S3FIND" "$SRC_DIRECTORY" "$WORK/source-lists"
fi
